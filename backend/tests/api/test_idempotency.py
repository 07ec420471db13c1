"""`Idempotency-Key`: goal R12, and what must never be kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.models import ApiKey, IdempotencyKey, Job, MediaFile, Membership, Upload, Workspace
from app.services.jobs.service import JobService
from tests.api.test_jobs import finished, submit
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.identity import register

KEY = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    running = await make_app(
        database_url=database_url, transcription_backend="stub", raise_app_exceptions=False
    )
    await sign_up(running.client)
    return running


async def rows(app: RunningApp, table: type[Any]) -> list[Any]:
    async with app.container.database.system(read_only=True) as session:
        return list((await session.execute(sa.select(table))).scalars())


async def new_job(client: httpx2.AsyncClient, file_id: str, key: str, **fields: Any) -> httpx2.Response:
    return await client.post("/api/jobs", json={"file_id": file_id} | fields, headers={KEY: key})


async def test_r12_fifty_equal_requests_make_one_job(app: RunningApp) -> None:
    job = await finished(app.client)
    answers = await asyncio.gather(*(new_job(app.client, job["file_id"], "k", fresh=True) for _ in range(50)))
    made = [a for a in answers if a.status_code == 201]
    busy = [a for a in answers if a.status_code == 409]
    assert made
    assert len(made) + len(busy) == 50
    assert {a.json()["id"] for a in made} == {made[0].json()["id"]}
    assert [a.headers.get(REPLAYED) for a in made].count(None) == 1
    for answer in busy:
        assert answer.json()["error"]["code"] == "idempotency_in_flight"
        assert int(answer.headers["Retry-After"]) >= 1
    assert len(await rows(app, Job)) == 2
    again = await new_job(app.client, job["file_id"], "k", fresh=True)
    first = next(a for a in made if REPLAYED not in a.headers)
    assert (again.status_code, again.headers[REPLAYED], again.json()) == (201, "true", first.json())


async def test_r12_another_request_with_the_same_key_is_refused(app: RunningApp) -> None:
    job = await finished(app.client)
    assert (await new_job(app.client, job["file_id"], "k")).status_code == 201
    for answer in (
        await new_job(app.client, job["file_id"], "k", language="de"),
        await app.client.post(f"/api/jobs/{job['id']}/retry", headers={KEY: "k"}),
        await app.client.post("/api/files/presign", json={"filename": "a", "size": 1}, headers={KEY: "k"}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_key_reused")
        assert answer.json()["error"]["field"] == KEY
    reordered = b'{ "language":null,  "file_id" : "%s"}' % job["file_id"].encode()
    same = b'{"file_id": "%s", "language": null}' % job["file_id"].encode()
    headers = {KEY: "j", "Content-Type": "application/json"}
    assert (await app.client.post("/api/jobs", content=same, headers=headers)).status_code == 201
    answer = await app.client.post("/api/jobs", content=reordered, headers=headers)
    assert (answer.status_code, answer.headers[REPLAYED]) == (201, "true")


async def test_r12_users_and_workspaces_do_not_meet_in_a_key(app: RunningApp) -> None:
    eve = await register(app.client, "eve@example.org")
    mine = await app.client.post("/api/workspaces", json={"name": "w"}, headers={KEY: "k"})
    theirs = await app.client.post("/api/workspaces", json={"name": "w"}, headers={KEY: "k"} | eve.bearer)
    assert mine.json()["id"] != theirs.json()["id"]
    assert REPLAYED not in theirs.headers
    elsewhere = {KEY: "k", "X-Workspace-Id": mine.json()["id"]}
    third = await app.client.post("/api/workspaces", json={"name": "w"}, headers=elsewhere)
    assert third.json()["id"] not in (mine.json()["id"], theirs.json()["id"])
    assert len(await rows(app, Workspace)) == 5
    stranger = await app.client.post("/api/workspaces", json={"name": "w"}, headers=elsewhere | eve.bearer)
    assert stranger.status_code == 404


async def test_what_failed_was_not_done_and_leaves_the_key_free(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await finished(app.client)
    assert (await new_job(app.client, job["file_id"], "k", language="no such")).status_code == 422
    assert (await new_job(app.client, str(uuid4()), "k")).status_code == 404

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken on purpose")

    with monkeypatch.context() as patch:
        patch.setattr(JobService, "create", broken)
        assert (await new_job(app.client, job["file_id"], "k")).status_code == 500
    assert await rows(app, IdempotencyKey) == []
    answer = await new_job(app.client, job["file_id"], "k")
    assert (answer.status_code, REPLAYED in answer.headers) == (201, False)


async def test_r12_a_crash_before_the_commit_frees_the_key_and_one_behind_it_keeps_the_answer(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is gone after the turn was taken: as if `give_back` had never run."""
    job = await finished(app.client)
    keys = app.container.idempotency

    async def gone(*_: object) -> None:
        return None

    async def crash(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(type(keys), "give_back", gone)
        patch.setattr(type(keys), "keep", crash)
        assert (await new_job(app.client, job["file_id"], "k")).status_code == 500
    assert len(await rows(app, Job)) == 1  # rolled back with the answer that could not be kept
    busy = await new_job(app.client, job["file_id"], "k")
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "idempotency_in_flight")
    await age(app, locked_until=utcnow() - timedelta(seconds=1))
    taken_over = await new_job(app.client, job["file_id"], "k")
    assert (taken_over.status_code, REPLAYED in taken_over.headers) == (201, False)
    again = await new_job(app.client, job["file_id"], "k")
    assert (again.json(), again.headers[REPLAYED]) == (taken_over.json(), "true")
    assert len(await rows(app, Job)) == 2


async def test_whoever_lost_the_turn_commits_nothing(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that was slow for longer than a turn lasts: another one has taken over meanwhile."""
    job = await finished(app.client)
    real = JobService.create

    async def slow(self: JobService, session: Any, **kw: Any) -> Any:
        made = await real(self, session, **kw)
        await session.execute(sa.update(IdempotencyKey).values(fence=IdempotencyKey.fence + 1))
        return made

    with monkeypatch.context() as patch:
        patch.setattr(JobService, "create", slow)
        answer = await new_job(app.client, job["file_id"], "k")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_in_flight")
    assert len(await rows(app, Job)) == 1


async def age(app: RunningApp, **values: Any) -> None:
    async with app.container.database.system() as session:
        await session.execute(sa.update(IdempotencyKey).values(**values))


async def test_a_key_is_new_again_after_a_day_and_then_swept(app: RunningApp) -> None:
    first = await app.client.post("/api/workspaces", json={"name": "w"}, headers={KEY: "k"})
    row = (await rows(app, IdempotencyKey))[0]
    assert timedelta(hours=23, minutes=59) < row.expires_at - row.created_at <= timedelta(hours=24, minutes=1)
    assert await app.container.idempotency.purge() == 0
    await age(app, expires_at=utcnow() - timedelta(seconds=1))
    other = await app.client.post("/api/workspaces", json={"name": "other"}, headers={KEY: "k"})
    assert (other.status_code, REPLAYED in other.headers) == (201, False)
    assert other.json()["id"] != first.json()["id"]
    await age(app, expires_at=utcnow() - timedelta(seconds=1))
    assert await app.container.idempotency.purge() == 1
    assert await rows(app, IdempotencyKey) == []


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "tab\there"])
async def test_keys_that_are_none(app: RunningApp, key: str) -> None:
    for path, body in (
        ("/api/workspaces", {"json": {"name": "w"}}),
        ("/api/transcribe", {"files": {"file": b"x"}}),
    ):
        answer = await app.client.post(path, headers={KEY: key}, **body)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, KEY), path
    assert await rows(app, MediaFile) == []


async def test_a_recording_in_one_call_is_known_by_its_bytes(app: RunningApp) -> None:
    app.client.headers[KEY] = "k"
    first = await submit(app.client, language="en")
    again = await submit(app.client, language="en")  # with another boundary
    assert (first.status_code, again.status_code) == (202, 202)
    assert (again.headers.get(REPLAYED), again.json()) == ("true", first.json())
    assert first.headers["content-type"] == again.headers["content-type"]
    for answer in (
        await submit(app.client, "Other words.\n", language="en"),
        await submit(app.client, language="de"),
        await submit(app.client, name="other.txt", language="en"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert len(await rows(app, Job)) == 1
    assert len(await rows(app, MediaFile)) == 1  # what came again was not kept


async def test_r12_equal_recordings_at_once_make_one_job(app: RunningApp) -> None:
    app.client.headers[KEY] = "k"
    answers = await asyncio.gather(*(submit(app.client) for _ in range(10)))
    assert {a.status_code for a in answers} <= {202, 409}
    assert len({a.json()["job_id"] for a in answers if a.status_code == 202}) == 1
    assert len(await rows(app, Job)) == 1
    assert len(await rows(app, MediaFile)) == 1


async def test_an_upload_is_announced_once(app: RunningApp) -> None:
    body = {"filename": "a.wav", "size": 10}
    first = await app.client.post("/api/files/presign", json=body, headers={KEY: "k"})
    again = await app.client.post("/api/files/presign", json=body, headers={KEY: "k"})
    assert (again.status_code, again.headers.get(REPLAYED), again.json()) == (201, "true", first.json())
    assert len(await rows(app, Upload)) == 1
    stored = (await rows(app, IdempotencyKey))[0]
    assert first.json()["url"].rpartition("/")[2] not in stored.body  # sealed
    assert stored.key_hash != "k"


async def test_row_27_what_is_shown_once_is_neither_kept_nor_repeated(app: RunningApp) -> None:
    job = await finished(app.client)
    workspace = (await app.client.get("/api/auth/me")).json()["workspaces"][0]["id"]
    base = f"/api/workspaces/{workspace}"
    unsealed = app.container.idempotency._sealer.unseal
    for path, body, secrets in (
        (f"{base}/api-keys", {"name": "script"}, ("key",)),
        (f"/api/jobs/{job['id']}/shares", {}, ("token", "url")),
        (f"{base}/invitations", {"email": "friend@example.org"}, ("url",)),
    ):
        key = str(uuid4())
        first = await app.client.post(path, json=body, headers={KEY: key})
        again = await app.client.post(path, json=body, headers={KEY: key})
        assert (first.status_code, again.status_code) == (201, 201), path
        assert again.headers[REPLAYED] == "true"
        assert "no-store" in again.headers["Cache-Control"]
        shown = first.json()
        assert all(shown[name] for name in secrets)
        assert again.json() == shown | dict.fromkeys(secrets)
        kept = "".join(unsealed(row.body) for row in await rows(app, IdempotencyKey))
        assert not any(shown[name] in kept for name in secrets)
    assert len(await rows(app, ApiKey)) == 1


async def test_row_29_nobody_is_answered_from_a_workspace_that_they_have_left(app: RunningApp) -> None:
    made = (await app.client.post("/api/workspaces", json={"name": "second"})).json()
    path, headers = f"/api/workspaces/{made['id']}/api-keys", {KEY: "k"}
    assert (await app.client.post(path, json={"name": "a"}, headers=headers)).status_code == 201
    async with app.container.database.system() as session:
        await session.execute(sa.delete(Membership).where(Membership.workspace_id == UUID(made["id"])))
    assert (await app.client.post(path, json={"name": "a"}, headers=headers)).status_code == 404


async def test_keys_of_scripts_that_may_only_read_get_no_answers_of_their_users(app: RunningApp) -> None:
    job = await finished(app.client)
    workspace = (await app.client.get("/api/auth/me")).json()["workspaces"][0]["id"]
    made = await app.client.post(
        f"/api/workspaces/{workspace}/api-keys", json={"name": "r", "scopes": ["read"]}
    )
    assert (await new_job(app.client, job["file_id"], "k")).status_code == 201
    app.client.headers["Authorization"] = f"Bearer {made.json()['key']}"
    assert (await new_job(app.client, job["file_id"], "k")).status_code == 403


async def test_pages_of_other_origins_may_send_the_header_and_read_the_answers(make_app: MakeApp) -> None:
    app = await make_app(cors_origins=("https://pages.example.org",))
    asked = {
        "Origin": "https://pages.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": KEY,
    }
    answer = await app.client.options("/api/jobs", headers=asked)
    assert answer.status_code == 200
    assert KEY.lower() in answer.headers["access-control-allow-headers"].lower()


async def test_one_request_has_one_key(app: RunningApp) -> None:
    job = await finished(app.client)
    headers = [(KEY, "first"), (KEY, "second")]
    twice = await app.client.post("/api/jobs", json={"file_id": job["file_id"]}, headers=headers)
    form = await app.client.post("/api/transcribe", files={"file": ("a.txt", b"Hello.\n")}, headers=headers)
    for answer in (twice, form):
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, KEY), answer.text
    assert len(await rows(app, Job)) == 1
