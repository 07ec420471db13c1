"""Links over HTTP: a job without a file, fetched from a site on loopback, and everything that is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import pytest

from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.site import PICTURE, Site

FINAL = ("completed", "failed", "cancelled")


@pytest.fixture
async def app(make_app: MakeApp, database_url: str, site: Site) -> RunningApp:
    running = await make_app(
        database_url=database_url, transcription_backend="stub", url_ingestion="on", url_playlist_limit=3
    )
    desk = running.container.links
    desk.fetcher = replace(desk.fetcher, permitted=site.permitted, slow_seconds=2, find_seconds=15)
    await sign_up(running.client)
    return running


async def ended(app: RunningApp, job_id: str) -> dict[str, Any]:
    for _ in range(600):
        job: dict[str, Any] = (await app.client.get(f"/api/jobs/{job_id}")).json()
        if job["status"] in FINAL:
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)


async def create(app: RunningApp, url: str, **body: Any) -> dict[str, Any]:
    answer = await app.client.post("/api/jobs", json={"url": url} | body)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    assert (job["file_id"], job["source"]["url"]) == (None, url)
    return await ended(app, job["id"])


async def test_a_link_becomes_a_recording_and_a_text(app: RunningApp, site: Site) -> None:
    job = await create(app, f"{site.base}/page", language="en")
    assert job["status"] == "completed", job
    assert job["source"]["title"]
    assert job["filename"].endswith(".wav")
    file = (await app.client.get(f"/api/files/{job['file_id']}")).json()
    assert file["size"] == len(site.sound)
    again = await app.client.post(f"/api/jobs/{job['id']}/retry")
    assert again.status_code == 200
    asked = len(site.asked)
    assert (await ended(app, job["id"]))["status"] == "completed"
    assert len(site.asked) == asked  # the stored recording is listened to again
    assert (await app.client.delete(f"/api/jobs/{job['id']}")).status_code == 204
    assert (await app.client.get(f"/api/files/{job['file_id']}")).status_code == 404
    assert list((app.settings.storage_dir / "tmp").iterdir()) == []


async def test_in_one_call_with_a_form(app: RunningApp, site: Site) -> None:
    answer = await app.client.post(
        "/api/transcribe", data={"url": f"{site.base}/talk.wav", "language": "en"}, files={"x": (None, "")}
    )
    assert answer.status_code == 202, answer.text
    assert (await ended(app, answer.json()["job_id"]))["status"] == "completed"


@pytest.mark.parametrize(
    ("path", "code"),
    [("/login", "fetch_login_required"), ("/missing", "fetch_removed"), ("/nothing", "fetch_unsupported")],
)
async def test_what_cannot_be_fetched_says_so(app: RunningApp, site: Site, path: str, code: str) -> None:
    job = await create(app, f"{site.base}{path}")
    assert (job["status"], job["error"]["code"], job["attempt"]) == ("failed", code, 1)
    assert job["error"]["message"].endswith(".")


async def test_a_playlist_becomes_jobs_only_when_asked_for(app: RunningApp, site: Site) -> None:
    first = await create(app, f"{site.base}/feed", playlist=True)
    assert first["source"]["position"] == 1
    jobs = (await app.client.get("/api/jobs")).json()["items"]
    for job in jobs:
        assert (await ended(app, job["id"]))["status"] == "completed"
    assert sorted(job["source"]["position"] for job in jobs) == [1, 2, 3]
    assert {job["source"]["playlist"] for job in jobs} == {"Field notes"}


async def test_a_cancel_ends_the_fetching(app: RunningApp, site: Site) -> None:
    answer = await app.client.post("/api/jobs", json={"url": f"{site.base}/silent.wav"})
    job_id = answer.json()["id"]
    for _ in range(400):
        if site.asked:
            break
        await asyncio.sleep(0.05)
    assert (await app.client.get(f"/api/jobs/{job_id}")).json()["stage"] == "fetching"
    assert (await app.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
    async with asyncio.timeout(5):
        assert (await ended(app, job_id))["status"] == "cancelled"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "file:///etc/passwd", "http://user@example.org/", "x"]
)
async def test_row_13_a_link_that_is_not_allowed_is_refused_at_once(app: RunningApp, url: str) -> None:
    answer = await app.client.post("/api/jobs", json={"url": url})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "url_not_allowed")
    form = await app.client.post("/api/transcribe", data={"url": url}, files={"x": (None, "")})
    assert (form.status_code, form.json()["error"]["code"]) == (422, "url_not_allowed")
    assert (await app.client.get("/api/jobs")).json()["items"] == []


@pytest.mark.parametrize(
    "body", [{}, {"url": "https://example.org/", "file_id": "01a21e8c-9b48-7087-aa50-bd73d30003e4"}]
)
async def test_one_source_has_to_be_named(app: RunningApp, body: dict[str, str]) -> None:
    answer = await app.client.post("/api/jobs", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_error")


async def test_where_links_are_off_they_are_refused(make_app: MakeApp, database_url: str) -> None:
    running = await make_app(database_url=database_url, url_ingestion="off")
    await sign_up(running.client)
    answer = await running.client.post("/api/jobs", json={"url": "https://example.org/talk.mp3"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "links_disabled")
    assert (await running.client.get("/api/options")).json()["links"] is False


async def test_the_picture_of_a_page_is_kept_and_goes_with_the_recording(app: RunningApp, site: Site) -> None:
    job = await create(app, f"{site.base}/pictured")
    path = f"/api/files/{job['file_id']}/thumbnail"
    picture = await app.client.get(path)
    assert (picture.status_code, picture.content) == (200, PICTURE)
    # By its bytes, whatever the site called it.
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert picture.headers["cache-control"].startswith("private")
    assert (await app.client.delete(f"/api/jobs/{job['id']}")).status_code == 204
    assert (await app.client.get(path)).status_code == 404
    assert not list(app.settings.storage_dir.rglob("thumbnail*"))


async def test_what_is_no_picture_is_left_where_it_is(app: RunningApp, site: Site) -> None:
    job = await create(app, f"{site.base}/fake-picture")
    assert job["status"] == "completed"
    assert (await app.client.get(f"/api/files/{job['file_id']}/thumbnail")).status_code == 404


async def test_administrators_see_what_fetches(app: RunningApp) -> None:
    first = (await app.client.get("/api/admin/status")).json()
    assert first["yt_dlp"]["enabled"]
    assert first["yt_dlp"]["version"] == version("yt-dlp")
    assert not first["yt_dlp"]["upgraded"]
    assert first["database"]["dialect"] in ("sqlite", "postgresql")
    async with app.new_client() as stranger:
        await sign_up(stranger, "second@example.org")
        assert (await stranger.get("/api/admin/status")).status_code == 403
