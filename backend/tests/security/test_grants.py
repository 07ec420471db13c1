"""Sharing with one account, and row 57: what guests hear tells nothing but the sound."""

from __future__ import annotations

import asyncio
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import httpx2
import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.models import User
from app.models.shares import JobGrant
from tests.api.test_jobs import finished
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.files import file_url, upload
from tests.fixtures.identity import register
from tests.fixtures.media import write_tone


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    running = await make_app(database_url=database_url, transcription_backend="stub")
    await sign_up(running.client)
    return running


async def give(app: RunningApp, job_id: str, email: str, permission: str = "view") -> httpx2.Response:
    return await app.client.put(f"/api/jobs/{job_id}/grants", json={"email": email, "permission": permission})


async def test_a_job_is_shared_with_one_account_and_no_other(app: RunningApp) -> None:
    job = await finished(app.client)
    async with app.new_client() as other:
        eve, mallory = await register(other, "eve@example.org"), await register(other, "mal@example.org")
        assert (await give(app, job["id"], "Eve@Example.org ")).json()["email"] == "eve@example.org"
        (line,) = (await other.get("/api/shared", headers=eve.bearer)).json()["items"]
        assert (line["job_id"], line["title"], line["permission"]) == (job["id"], "talk.txt", "view")
        assert line["workspace"]["name"]
        own = (await app.client.get(f"/api/jobs/{job['id']}/result")).json()
        assert (await other.get(f"/api/shared/{job['id']}/result", headers=eve.bearer)).json() == own
        seen = (await other.get(f"/api/shared/{job['id']}", headers=eve.bearer)).json()
        assert seen["title"] == "talk.txt"
        assert not {"file_id", "engine_reasons", "vocabulary", "prompt", "filename"} & set(seen)
        assert (await other.get(f"/api/shared/{job['id']}/download", headers=eve.bearer)).status_code == 200
        refused = await other.patch(
            f"/api/shared/{job['id']}/speakers/S1", json={"name": "Ada"}, headers=eve.bearer
        )
        assert refused.status_code == 403
        assert (await give(app, job["id"], "eve@example.org", "edit")).status_code == 200
        unknown = await other.patch(
            f"/api/shared/{job['id']}/speakers/S1", json={"name": "Ada"}, headers=eve.bearer
        )
        assert unknown.status_code == 404  # allowed now, but nobody in this text is called that
        assert (await other.get(f"/api/jobs/{job['id']}", headers=eve.bearer)).status_code == 404
        assert (await other.get("/api/shared", headers=mallory.bearer)).json()["items"] == []
        for path in ("", "/result", "/media", "/peaks", "/download", "/events"):
            assert (
                await other.get(f"/api/shared/{job['id']}{path}", headers=mallory.bearer)
            ).status_code == 404
        gone = await app.client.delete(f"/api/jobs/{job['id']}/grants/{eve.id}")
        assert gone.status_code == 204
        assert (await other.get(f"/api/shared/{job['id']}/result", headers=eve.bearer)).status_code == 404
    nobody = await give(app, job["id"], "nobody@example.org")
    assert (nobody.status_code, nobody.json()["error"]["field"]) == (404, "email")


async def test_grants_and_links_go_with_job_and_account(app: RunningApp) -> None:
    first, second = await finished(app.client), await finished(app.client, text="Another talk.\n")
    async with app.new_client() as other:
        eve = await register(other, "eve@example.org")
    for job in (first, second):
        assert (await give(app, job["id"], "eve@example.org")).status_code == 200
        assert (await app.client.post(f"/api/jobs/{job['id']}/shares", json={})).status_code == 201
    assert (await app.client.delete(f"/api/jobs/{first['id']}")).status_code == 204
    async with app.container.database.system() as session:
        assert [str(job) for job in await session.scalars(sa.select(JobGrant.job_id))] == [second["id"]]
        await session.execute(sa.delete(User).where(User.email == "eve@example.org"))
    assert (await app.client.get(f"/api/jobs/{second['id']}/grants")).json()["items"] == []
    assert eve.id


async def test_only_writers_share_and_keys_do_not(app: RunningApp) -> None:
    job = await finished(app.client)
    me = (await app.client.get("/api/auth/me")).json()
    workspace = me["workspaces"][0]["id"]
    made = await app.client.post(
        f"/api/workspaces/{workspace}/api-keys", json={"name": "k", "scopes": ["read", "write"]}
    )
    key = {"Authorization": f"Bearer {made.json()['key']}"}
    async with app.new_client() as script:
        script.headers.update(key)
        for method, path, body in (
            ("POST", "shares", {}),
            ("GET", "shares", None),
            ("GET", "grants", None),
            ("PUT", "grants", {"email": "a@example.org", "permission": "view"}),
        ):
            answer = await script.request(method, f"/api/jobs/{job['id']}/{path}", json=body)
            assert answer.status_code == 403, path
        assert (await script.get("/api/shared")).status_code == 403


def media_facts(data: bytes) -> tuple[list[str], dict[str, str]]:
    """Kinds of streams, and tags."""
    with av.open(io.BytesIO(data)) as container:
        return [stream.type for stream in container.streams], dict(container.metadata)


@pytest.mark.parametrize("codec", ["aac", "mp3"])
async def test_row_57_guests_hear_a_copy_without_tags_and_pictures(
    make_app: MakeApp, database_url: str, tmp_path: Path, codec: str
) -> None:
    app = await make_app(database_url=database_url, transcription_backend="whisper_cpp")
    await sign_up(app.client)
    kind = {"aac": "mp4", "mp3": "mp3"}[codec]
    plain = write_tone(tmp_path / f"plain.{kind}", kind, codec, video="libx264" if kind == "mp4" else None)
    tagged = tmp_path / f"tagged.{kind}"
    with av.open(str(plain)) as source, av.open(str(tagged), "w", format=kind) as target:
        target.metadata.update(title="Bedroom", artist="Ada", comment="52.5163, 13.3777")
        copies = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                target.mux(packet)
    file = await upload(app.client, tagged.read_bytes(), f"a.{kind}")
    original = await app.client.get(await file_url(app.client, file["id"], original=True))
    assert media_facts(original.content)[1]["artist"] == "Ada"  # its owner keeps it as it is
    job = (await app.client.post("/api/jobs", json={"file_id": file["id"]})).json()
    link = (await app.client.post(f"/api/jobs/{job['id']}/shares", json={})).json()
    async with app.new_client() as guest:
        media = await shared_media(guest, link["token"])
        assert media["content_type"] == "audio/mp4"
        left = datetime.fromisoformat(media["expires_at"]) - utcnow()  # a revocation does not end it
        assert left <= timedelta(seconds=301)
        heard = await guest.get(media["url"])
        streams, tags = media_facts(heard.content)
        assert streams == ["audio"]
        assert not {"title", "artist", "comment"} & set(tags)
        for word in (b"Bedroom", b"Ada", b"52.5163"):
            assert word not in heard.content
        assert "attachment" not in heard.headers.get("content-disposition", "")
        save = await guest.get(f"/api/shares/{link['token']}/media?download=true")
        assert save.status_code == 403
        await app.client.patch(f"/api/jobs/{job['id']}/shares/{link['id']}", json={"allow_download": True})
        save = await guest.get(f"/api/shares/{link['token']}/media?download=true")
        saved = await guest.get(save.json()["url"])
        assert "attachment" in saved.headers["content-disposition"]
        assert saved.content == heard.content


async def test_guests_take_the_earlier_text_home_while_the_job_runs_again(app: RunningApp) -> None:
    job = await finished(app.client)
    link = (await app.client.post(f"/api/jobs/{job['id']}/shares", json={"allow_download": True})).json()
    await app.container.dispatcher.stop()
    assert (await app.client.post(f"/api/jobs/{job['id']}/retry", json={})).status_code == 200
    async with app.new_client() as guest:
        eve = await register(guest, "eve@example.org")
        assert (await give(app, job["id"], "eve@example.org")).status_code == 200
        for url, headers in (
            (f"/api/shares/{link['token']}/download", {}),
            (f"/api/shared/{job['id']}/download", eve.bearer),
        ):
            assert (await guest.get(url, headers=headers)).status_code == 409
            file = await guest.get(url, params={"partial": "true"}, headers=headers)
            assert (file.status_code, "First line" in file.text) == (200, True)


async def shared_media(guest: httpx2.AsyncClient, token: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            answer = await guest.get(f"/api/shares/{token}/media")
            if answer.status_code == 200:
                body: dict[str, Any] = answer.json()
                return body
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "media_pending")
            await asyncio.sleep(0.05)


async def test_what_has_no_sound_is_said(app: RunningApp) -> None:
    """A text file that the stub engine took as its own transcript."""
    job = await finished(app.client)
    link = (await app.client.post(f"/api/jobs/{job['id']}/shares", json={})).json()
    async with app.new_client() as guest, asyncio.timeout(20):
        while True:
            error = (await guest.get(f"/api/shares/{link['token']}/media")).json()["error"]
            if error["code"] == "media_unavailable":
                break
            assert error["code"] == "media_pending"
            await asyncio.sleep(0.05)
