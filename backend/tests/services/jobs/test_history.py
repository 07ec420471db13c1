"""What a job's history tells of crashes, lost hosts, retries and waiting: one entry for each thing that happened."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.asr.host.pool import EngineCrashed
from app.asr.selection import Choice
from app.asr.types import Window, WindowOptions, WindowResult
from app.core.clock import utcnow
from app.core.errors import JobError
from app.db.session import Database
from app.models import HistoryEntry, Job, JobWindow, Workspace
from app.services.jobs import claims, recovery
from app.services.jobs.history_pages import read_history, read_tries
from app.services.jobs.owner import Owner
from tests.fixtures.jobs import add_workspace, read_job
from tests.fixtures.runs import SPEC, Bench, FakeDecoder, FakePool, said, windows_of

SECRET = "zanzibar"  # a word of the transcript


def hear_all(window: Window, _: WindowOptions) -> WindowResult:
    return said(window, SECRET)


@pytest.fixture
def server(database: Database, tmp_path: Path) -> Bench:
    return Bench(database, tmp_path / "store", FakeDecoder(windows_of(20, 10)), FakePool(hear_all))


@pytest.fixture
async def workspace(database: Database) -> UUID:
    return await add_workspace(database)


async def told(database: Database, workspace: UUID, job_id: UUID) -> list[dict[str, Any]]:
    """Oldest first."""
    async with database.tenant(workspace, read_only=True) as session:
        job = await session.get_one(Job, job_id)
        entries, following = await read_history(session, job, limit=100, cursor=None)
    assert following is None
    return entries[::-1]


def kinds(entries: list[dict[str, Any]]) -> list[str]:
    return [e["kind"] if e["kind"] != "stage" else e["stage"] for e in entries]


def only(entries: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [e for e in entries if e["kind"] == kind]
    return found


async def test_a_calm_job(server: Bench, workspace: UUID, database: Database) -> None:
    server.chooser.choice = Choice(SPEC, reasons=("whisper_cpp: the first that can",))
    job_id = await server.add(workspace)
    await server.work(until_final=False)
    entries = await told(database, workspace, job_id)
    assert kinds(entries) == [
        "created",
        "claimed",
        "engine_chosen",
        "decoding",
        "loading_model",
        "transcribing",
        "finalizing",
        "completed",
    ]
    chosen = only(entries, "engine_chosen")
    assert (chosen["engine"], chosen["model"]) == (SPEC.engine, SPEC.model)
    assert chosen["reasons"] == ["whisper_cpp: the first that can"]
    assert entries[0]["source"] == "file"
    assert SECRET not in repr(entries)
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)


async def test_a_window_that_kills_its_engine(server: Bench, workspace: UUID, database: Database) -> None:
    def crash(window: Window, _: WindowOptions) -> WindowResult:
        if window.index == 1:
            raise EngineCrashed("The engine stopped.", window=1)
        return said(window, SECRET)

    server.pool.hear = crash
    job_id = await server.add(workspace)
    await server.work(until_final=False)
    entries = await told(database, workspace, job_id)
    assert (only(entries, "engine_crashed")["window"], only(entries, "engine_crashed")["count"]) == (1, 1)
    retry = only(entries, "retry_scheduled")
    assert (retry["code"], retry["attempt"]) == ("engine_failed", 2)
    async with database.tenant(workspace, read_only=True) as session:
        assert (await read_tries(session, await session.get_one(Job, job_id)))["engine_crashes"] == 1
    await server.work(until_final=False)
    entries = await told(database, workspace, job_id)
    assert [e["count"] for e in entries if e["kind"] == "engine_crashed"] == [1, 2]
    repeated = {e["window"]: e["count"] for e in entries if e["kind"] == "window_repeated"}
    assert repeated.pop(1) == 2
    assert repeated in ({}, {0: 2})  # the other one may have been in work beside it
    failed = only(entries, "failed")
    assert (failed["code"], failed["window"]) == ("quarantined", 1)
    assert "Retry with another model" in failed["advice"]
    assert SECRET not in repr(entries)


async def test_an_engine_that_fails_for_a_moment(server: Bench, workspace: UUID, database: Database) -> None:
    def fail(*_: Any) -> WindowResult:
        raise JobError("engine_failed", "It stumbled.", retryable=True)

    server.pool.hear = fail
    job_id = await server.add(workspace)
    await server.work(until_final=False)
    retry = only(await told(database, workspace, job_id), "retry_scheduled")
    assert (retry["message"], retry["count"]) == ("It stumbled.", 1)
    assert retry["run_after"] > retry["at"].isoformat()
    async with database.tenant(workspace, read_only=True) as session:
        assert (await read_tries(session, await session.get_one(Job, job_id)))["engine_errors"] == 1


async def test_a_job_that_waits_and_is_tried_at_once(
    server: Bench, workspace: UUID, database: Database
) -> None:
    server.chooser.choice = Choice(None, wait_reason="model_missing", reasons=("no model",))
    job_id = await server.add(workspace)
    await server.work(until_final=False)
    async with database.tenant(workspace) as session:
        await server.service.retry_now(session, job_id)
    server.chooser.choice = Choice(SPEC)
    await server.work(until_final=False)
    entries = await told(database, workspace, job_id)
    assert only(entries, "waiting")["reason"] == "model_missing"
    order = kinds(entries)
    assert order.index("waiting") < order.index("tried_at_once") < order.index("engine_chosen")
    assert order[-1] == "completed"


async def test_a_provider_that_is_waited_for_says_why(
    server: Bench, workspace: UUID, database: Database
) -> None:
    job_id = await server.add(workspace)
    later = utcnow() + timedelta(minutes=5)
    async with database.system() as session:
        taken = await claims.claim_next(session, server.bus, Owner.current())
        assert taken is not None
        await claims.release(
            session,
            server.bus,
            taken,
            run_after=later,
            again=True,
            wait_reason="provider_down",
            error=("openai_unavailable", "It is busy."),
        )
    waiting = only(await told(database, workspace, job_id), "waiting")
    assert (waiting["reason"], waiting["code"], waiting["message"]) == (
        "provider_down",
        "openai_unavailable",
        "It is busy.",
    )
    assert waiting["run_after"] > waiting["at"].isoformat()


async def test_a_host_that_goes_down(server: Bench, workspace: UUID, database: Database) -> None:
    job_id = await server.add(workspace)
    async with database.system() as session:
        taken = await claims.claim_next(session, server.bus, Owner.current())
        assert taken is not None
        session.add(
            JobWindow(
                job_id=job_id,
                workspace_id=workspace,
                run=1,
                idx=0,
                start_ms=0,
                end_ms=1000,
                speech=[],
                executions=1,
                fence=taken.fence,
            )
        )
        await session.execute(
            sa.update(Job).where(Job.id == job_id).values(lease_expires_at=utcnow() - timedelta(minutes=1))
        )
    await recovery.sweep_expired_leases(database, server.bus)
    entries = await told(database, workspace, job_id)
    assert kinds(entries) == ["created", "claimed", "host_lost"]
    assert (entries[-1]["count"], entries[-1]["attempt"]) == (1, 2)
    assert str(Owner.current()) not in repr(entries)  # of the server itself nothing is told


async def test_what_people_do_with_an_ended_job(server: Bench, workspace: UUID, database: Database) -> None:
    job_id = await server.add(workspace)
    async with database.tenant(workspace) as session:
        await server.service.cancel(session, job_id)
    async with database.tenant(workspace) as session:
        await server.service.retry(session, job_id, engine="whisper_cpp", model="tiny")
    entries = await told(database, workspace, job_id)
    assert kinds(entries) == ["created", "cancel_requested", "cancelled", "retried"]
    assert (entries[-1]["what"], entries[-1]["engine"], entries[-1]["model"]) == (
        "all",
        "whisper_cpp",
        "tiny",
    )
    async with database.tenant(workspace) as session:
        await server.service.delete(session, job_id)
    async with database.system(read_only=True) as session:
        assert (await session.execute(sa.select(HistoryEntry.id))).first() is None


async def test_a_lost_claim_tells_nothing(server: Bench, workspace: UUID, database: Database) -> None:
    job_id = await server.add(workspace)
    async with database.system() as session:
        taken = await claims.claim_next(session, server.bus, Owner.current())
        assert taken is not None
    stale = claims.Claim(job_id, workspace, taken.fence - 1)
    with pytest.raises(claims.LostClaimError):
        async with database.system() as session:
            await claims.fail(session, server.bus, stale, code="engine_failed", message="late")
    assert kinds(await told(database, workspace, job_id)) == ["created", "claimed"]
    assert (await read_job(database, job_id)).status == "processing"


async def test_what_waits_for_the_workspaces_other_jobs_says_so(
    server: Bench, workspace: UUID, database: Database
) -> None:
    async with database.system() as session:
        await session.execute(sa.update(Workspace).values(quota_parallel_jobs=1))
    await server.add(workspace)
    second = await server.add(workspace)
    assert only(await told(database, workspace, second), "waiting")["reason"] == "parallel_limit"


async def test_an_engine_that_was_killed_leads_to_memory_and_no_text_is_promised_where_none_is(
    server: Bench, workspace: UUID, database: Database
) -> None:
    def killed(window: Window, _: WindowOptions) -> WindowResult:
        raise EngineCrashed("signal SIGKILL", window=window.index)

    server.decoder.windows = windows_of(20)
    server.pool.hear = killed
    job_id = await server.add(workspace)
    for _ in range(2):
        await server.work(until_final=False)
    failed = only(await told(database, workspace, job_id), "failed")
    assert "ran out of memory" in failed["advice"]
    assert "kept" not in failed["message"]
    assert (await read_job(database, job_id)).stage is None
