"""Many jobs at once through HTTP: each is told for itself what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.db.session import TenantSession
from app.models import Job, JobStatus, MediaFile
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.jobs import add_job, add_workspace, read_job

LATER = timedelta(hours=3)


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    running = await make_app(database_url=database_url, transcription_backend="stub")
    await running.container.dispatcher.stop()  # what is put into the queue stays there
    await sign_up(running.client)
    return running


async def workspace_of(app: RunningApp) -> UUID:
    return UUID((await app.client.get("/api/auth/me")).json()["workspaces"][0]["id"])


async def add(app: RunningApp, status: JobStatus, **fields: Any) -> str:
    values = {"run_after": utcnow() + LATER, "status": status} | fields
    return str(await add_job(app.container.database, await workspace_of(app), **values))


async def bulk(client: httpx2.AsyncClient, action: str, **asked: Any) -> dict[str, Any]:
    answer = await client.post("/api/jobs/bulk", json={"action": action, **asked})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def told(body: dict[str, Any]) -> dict[str, str]:
    return {item["id"]: item.get("code") or item["outcome"] for item in body["items"]}


async def test_each_job_is_told_for_itself(app: RunningApp) -> None:
    waiting = await add(app, JobStatus.PENDING)
    done = await add(app, JobStatus.COMPLETED, filename="ready.wav")
    unknown = str(uuid4())
    body = await bulk(app.client, "cancel", ids=[waiting, done, unknown, waiting])
    assert [item["id"] for item in body["items"]] == [waiting, done, unknown]  # each once, in this order
    assert told(body) == {waiting: "done", done: "invalid_state", unknown: "not_found"}
    by_id = {item["id"]: item for item in body["items"]}
    assert by_id[done]["message"] == "This job is already completed."
    assert by_id[done]["filename"] == "ready.wav"
    assert by_id[unknown]["filename"] is None
    assert body["next_cursor"] is None
    assert (await read_job(app.container.database, UUID(waiting))).status == JobStatus.CANCELLED
    assert (await read_job(app.container.database, UUID(done))).status == JobStatus.COMPLETED


async def test_a_malformed_id_is_not_found_and_holds_up_none_of_the_others(app: RunningApp) -> None:
    waiting, odd = await add(app, JobStatus.PENDING), ["no-id", "", "../x", "\x00"]
    body = await bulk(app.client, "cancel", ids=[*odd, waiting, waiting.upper()])
    assert [item["id"] for item in body["items"]] == [*odd, waiting]
    assert told(body) == dict.fromkeys(odd, "not_found") | {waiting: "done"}
    for wrong in (7, None, "x" * 201):
        answer = await app.client.post("/api/jobs/bulk", json={"action": "cancel", "ids": [waiting, wrong]})
        assert answer.status_code == 422, wrong


async def test_retry_begins_ended_ones_again_tries_waiting_ones_now_and_leaves_completed_ones(
    app: RunningApp,
) -> None:
    failed = await add(app, JobStatus.FAILED, error_code="engine_failed", error_message="x")
    cancelled = await add(app, JobStatus.CANCELLED)
    gone = await add(app, JobStatus.FAILED)
    waiting = await add(app, JobStatus.PENDING, error_code="provider_down", error_message="x")
    done = await add(app, JobStatus.COMPLETED)
    async with app.container.database.system() as session:
        await session.execute(sa.update(Job).where(Job.id == UUID(gone)).values(file_id=None))
    body = await bulk(app.client, "retry", ids=[failed, cancelled, gone, waiting, done])
    assert told(body) == {
        failed: "done",
        cancelled: "done",
        gone: "invalid_state",
        waiting: "done",
        done: "invalid_state",
    }
    assert "recording of this transcription is gone" in body["items"][2]["message"]
    for job_id, attempt in ((failed, 2), (cancelled, 2), (waiting, 1)):
        job = await read_job(app.container.database, UUID(job_id))
        assert job.run_after <= utcnow(), job_id
        assert (job.status, job.attempt) == ("pending", attempt)
    assert (await read_job(app.container.database, UUID(done))).attempt == 1


async def test_deleting_many_takes_their_recordings_along(app: RunningApp) -> None:
    ids = [await add(app, status) for status in (JobStatus.COMPLETED, JobStatus.PENDING, JobStatus.FAILED)]
    assert set(told(await bulk(app.client, "delete", ids=ids)).values()) == {"done"}
    async with app.container.database.system(read_only=True) as session:
        for table in (Job, MediaFile):
            assert await session.scalar(sa.select(sa.func.count()).select_from(table)) == 0


async def test_a_filter_is_walked_in_bounded_steps_to_its_end(app: RunningApp) -> None:
    failed = [await add(app, JobStatus.FAILED, filename=f"talk-{n}.wav") for n in range(5)]
    other = await add(app, JobStatus.FAILED, filename="song.mp3")
    done = await add(app, JobStatus.COMPLETED, filename="talk-9.wav")
    looked = utcnow() + timedelta(seconds=1)
    later = await add(
        app, JobStatus.FAILED, filename="talk-late.wav", created_at=looked + timedelta(seconds=1)
    )
    query = {"status": "failed", "q": "talk"}
    assert (await app.client.get("/api/jobs/count", params=query)).json() == {"count": 6, "more": False}
    wanted = {"status": ["failed"], "q": "talk", "created_before": looked.isoformat()}
    seen: list[str] = []
    cursor, steps = None, 0
    while steps == 0 or cursor is not None:
        body = await bulk(app.client, "delete", filter=wanted, limit=2, cursor=cursor)
        seen += [item["id"] for item in body["items"]]
        cursor, steps = body["next_cursor"], steps + 1
    assert steps == 3
    assert sorted(seen) == sorted(failed)
    left = {job["id"] for job in (await app.client.get("/api/jobs")).json()["items"]}
    assert left == {other, done, later}


async def test_another_workspaces_jobs_are_unknown(app: RunningApp) -> None:
    foreign = await add_job(app.container.database, await add_workspace(app.container.database, "Theirs"))
    for action in ("cancel", "retry", "delete"):
        assert told(await bulk(app.client, action, ids=[str(foreign)])) == {str(foreign): "not_found"}
        assert (await bulk(app.client, action, filter={}))["items"] == []
    assert (await read_job(app.container.database, foreign)).status == JobStatus.PENDING


async def test_a_database_that_goes_away_is_told_for_the_rest(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await add(app, JobStatus.PENDING) for _ in range(4)]
    cancel, calls = app.container.jobs.cancel, []

    async def breaks(session: TenantSession, job_id: UUID) -> Job:
        calls.append(job_id)
        if len(calls) == 3:
            raise sa.exc.OperationalError("x", None, ConnectionError("gone"))
        return await cancel(session, job_id)

    monkeypatch.setitem(app.container.bulk._acts, "cancel", breaks)
    body = await bulk(app.client, "cancel", ids=ids)
    assert list(told(body).values()) == ["done", "done", "unavailable", "unavailable"]
    assert len(calls) == 3
    states = [(await read_job(app.container.database, UUID(i))).status for i in ids]
    assert states == ["cancelled", "cancelled", "pending", "pending"]


async def test_what_is_unclear_or_unbounded_is_refused(app: RunningApp) -> None:
    some = str(uuid4())
    for body in (
        {"action": "cancel"},
        {"action": "cancel", "ids": []},
        {"action": "cancel", "ids": [some] * 501},
        {"action": "cancel", "ids": [some], "filter": {}},
        {"action": "explode", "ids": [some]},
        {"action": "cancel", "filter": {"status": ["strange"]}},
        {"action": "cancel", "filter": {}, "limit": 501},
        {"action": "cancel", "filter": {}, "cursor": "nonsense"},
    ):
        assert (await app.client.post("/api/jobs/bulk", json=body)).status_code == 422, body


async def test_a_waiting_job_says_when_it_is_tried_and_can_be_tried_at_once(app: RunningApp) -> None:
    waiting = await add(app, JobStatus.PENDING, error_code="provider_down", error_message="Busy.")
    job = (await app.client.get(f"/api/jobs/{waiting}")).json()
    assert job["run_after"] > utcnow().isoformat()
    answer = await app.client.post(f"/api/jobs/{waiting}/retry-now")
    assert answer.status_code == 200
    assert answer.json()["run_after"] < job["run_after"]
    done = await add(app, JobStatus.COMPLETED)
    assert (await app.client.get(f"/api/jobs/{done}")).json()["run_after"] is None
    refused = await app.client.post(f"/api/jobs/{done}/retry-now")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")
    assert (await app.client.post(f"/api/jobs/{uuid4()}/retry-now")).status_code == 404
