"""The queue: one claim at a time, fences that bite, leases that are taken back."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.db.session import Database
from app.models import Job, JobEvent, JobStatus, JobWindow
from app.services.jobs import claims, recovery
from app.services.jobs.bus import EventBus
from app.services.jobs.history_pages import read_tries
from app.services.jobs.owner import Owner
from app.services.jobs.service import JobOptions, JobService
from tests.fixtures.jobs import add_job, add_workspace, read_job

ME = Owner.current()


async def claim(database: Database) -> claims.Claim | None:
    async with database.system() as session:
        return await claims.claim_next(session, EventBus(), ME)


async def event_types(database: Database, job_id: Any) -> list[tuple[int, str]]:
    async with database.system(read_only=True) as session:
        rows = await session.execute(
            sa.select(JobEvent.seq, JobEvent.type).where(JobEvent.job_id == job_id).order_by(JobEvent.seq)
        )
        return [(seq, kind) for seq, kind in rows]


async def test_each_job_is_claimed_once_by_many_claimers(database: Database) -> None:
    workspace = await add_workspace(database)
    expected = {await add_job(database, workspace) for _ in range(12)}

    async def worker() -> list[claims.Claim]:
        mine = []
        while (taken := await claim(database)) is not None:
            mine.append(taken)
        return mine

    taken = [c for part in await asyncio.gather(*(worker() for _ in range(6))) for c in part]
    assert len(taken) == 12
    assert {c.job_id for c in taken} == expected


async def test_a_job_that_is_not_due_is_left(database: Database) -> None:
    await add_job(database, await add_workspace(database), run_after=utcnow() + timedelta(minutes=1))
    assert await claim(database) is None


async def test_the_workspace_with_less_running_comes_first(database: Database) -> None:
    busy, calm = await add_workspace(database), await add_workspace(database)
    for _ in range(3):
        await add_job(database, busy)
    assert await claim(database) is not None
    late = await add_job(database, calm)
    taken = await claim(database)
    assert taken is not None
    assert taken.job_id == late


async def test_a_stale_fence_writes_nothing(database: Database) -> None:
    job_id = await add_job(database, await add_workspace(database))
    taken = await claim(database)
    assert taken is not None
    stale = replace(taken, fence=taken.fence - 1)
    for write in (
        lambda s: claims.heartbeat(s, stale),
        lambda s: claims.fail(s, EventBus(), stale, code="engine_failed", message="late"),
        lambda s: claims.cancelled(s, EventBus(), stale),
        lambda s: claims.release(s, EventBus(), stale, run_after=utcnow(), again=True),
        lambda s: claims.complete(s, EventBus(), stale, {}),
    ):
        with pytest.raises(claims.LostClaimError):
            async with database.system() as session:
                await write(session)
    job = await read_job(database, job_id)
    assert job.status == JobStatus.PROCESSING
    assert job.fence == taken.fence


async def test_a_shutdown_release_costs_no_attempt_and_moves_the_fence(database: Database) -> None:
    job_id = await add_job(database, await add_workspace(database))
    taken = await claim(database)
    assert taken is not None
    async with database.system() as session:
        await claims.release(session, EventBus(), taken, run_after=utcnow(), again=False)
    job = await read_job(database, job_id)
    assert (job.status, job.attempt, job.lease_owner) == (JobStatus.PENDING, 1, None)
    assert job.fence == taken.fence + 1
    assert job.processing_time_ms is not None


async def test_a_cancel_beats_a_late_finish(database: Database) -> None:
    job_id = await add_job(database, await add_workspace(database))
    taken = await claim(database)
    assert taken is not None
    async with database.system() as session:
        await session.execute(
            sa.update(Job).where(Job.id == job_id).values(cancel_requested_at=utcnow(), plan_complete=True)
        )
    with pytest.raises(claims.LostClaimError):
        async with database.system() as session:
            await claims.complete(session, EventBus(), taken, {})
    async with database.system() as session:
        assert await claims.heartbeat(session, taken)
        await claims.cancelled(session, EventBus(), taken)
    assert (await read_job(database, job_id)).status == JobStatus.CANCELLED


async def test_completing_needs_the_whole_plan(database: Database) -> None:
    job_id = await add_job(database, await add_workspace(database), windows_planned=2, windows_committed=1)
    taken = await claim(database)
    assert taken is not None
    for values in ({"plan_complete": True}, {"plan_complete": False, "windows_committed": 2}):
        async with database.system() as session:
            await session.execute(sa.update(Job).where(Job.id == job_id).values(**values))
        with pytest.raises(claims.LostClaimError):
            async with database.system() as session:
                await claims.complete(session, EventBus(), taken, {})
    async with database.system() as session:
        await session.execute(sa.update(Job).where(Job.id == job_id).values(plan_complete=True))
        await claims.complete(session, EventBus(), taken, {})
    job = await read_job(database, job_id)
    assert (job.status, job.progress) == (JobStatus.COMPLETED, 1.0)
    assert await event_types(database, job_id) == [(1, "status"), (2, "status"), (3, "end")]


async def expire(database: Database, job_id: Any, **values: Any) -> None:
    async with database.system() as session:
        past = utcnow() - timedelta(seconds=1)
        await session.execute(sa.update(Job).where(Job.id == job_id).values(lease_expires_at=past, **values))


async def test_an_expired_lease_goes_back_to_the_queue_and_a_live_one_stays(database: Database) -> None:
    workspace = await add_workspace(database)
    job_id = await add_job(database, workspace)
    live_id = await add_job(database, workspace)
    first, second = await claim(database), await claim(database)
    assert first is not None
    assert second is not None
    await expire(database, job_id)
    assert await recovery.sweep_expired_leases(database, EventBus()) == 1
    assert (await read_job(database, job_id)).status == JobStatus.PENDING
    assert (await read_job(database, live_id)).status == JobStatus.PROCESSING
    with pytest.raises(claims.LostClaimError):
        async with database.system() as session:
            await claims.heartbeat(session, first)


async def test_jobs_of_a_dead_process_are_taken_back_at_once_and_others_are_not(database: Database) -> None:
    workspace = await add_workspace(database)
    dead, reused, rebooted, elsewhere, contained, mine = [
        await add_job(database, workspace) for _ in range(6)
    ]
    owners = {
        dead: replace(ME, pid=2**22 - 1),
        reused: replace(ME, started="1.00"),
        rebooted: replace(ME, boot_id="another-boot"),
        elsewhere: replace(ME, host="another-host", pid=2**22 - 1),
        contained: replace(ME, space="pid:[1]", pid=2**22 - 1),
        mine: ME,
    }
    for job_id, owner in owners.items():
        async with database.system() as session:
            await session.execute(
                sa.update(Job)
                .where(Job.id == job_id)
                .values(
                    status=JobStatus.PROCESSING,
                    fence=1,
                    lease_owner=str(owner),
                    lease_expires_at=utcnow() + timedelta(seconds=30),
                    claimed_at=utcnow(),
                )
            )
    assert await recovery.recover_dead_owners(database, EventBus()) == 3
    status = {job_id: (await read_job(database, job_id)).status for job_id in owners}
    assert [status[j] for j in (dead, reused, rebooted)] == [JobStatus.PENDING] * 3
    assert [status[j] for j in (elsewhere, contained, mine)] == [JobStatus.PROCESSING] * 3


async def test_a_lease_of_another_version_is_left_to_its_time(database: Database) -> None:
    job_id = await add_job(database, await add_workspace(database))
    assert await claim(database) is not None
    async with database.system() as session:
        await session.execute(sa.update(Job).where(Job.id == job_id).values(lease_owner="host|boot|1|2.00"))
    assert await recovery.recover_dead_owners(database, EventBus()) == 0
    await expire(database, job_id)
    assert await recovery.sweep_expired_leases(database, EventBus()) == 1


async def test_one_slot_goes_round_the_workspaces(database: Database) -> None:
    """With nothing running all have the same load: the one served longest ago is next, however much others queued."""
    busy, calm = await add_workspace(database), await add_workspace(database)
    for _ in range(5):
        await add_job(database, busy)
    own = [await add_job(database, calm) for _ in range(2)]
    order = []
    for _ in range(4):
        taken = await claim(database)
        assert taken is not None
        order.append(taken.workspace_id)
        async with database.system() as session:
            await claims.fail(session, EventBus(), taken, code="engine_failed", message="x")
    assert order == [busy, calm, busy, calm]
    assert {(await read_job(database, job_id)).status for job_id in own} == {JobStatus.FAILED}


async def test_a_cancel_that_was_asked_before_the_crash_is_carried_out(database: Database) -> None:
    job_id = await add_job(database, await add_workspace(database))
    await claim(database)
    await expire(database, job_id, cancel_requested_at=utcnow())
    await recovery.sweep_expired_leases(database, EventBus())
    assert (await read_job(database, job_id)).status == JobStatus.CANCELLED


async def plan_window(database: Database, job_id: UUID, workspace: UUID) -> None:
    async with database.system() as session:
        session.add(
            JobWindow(job_id=job_id, workspace_id=workspace, run=1, idx=0, start_ms=0, end_ms=1000, speech=[])
        )


async def begin_window(database: Database, taken: claims.Claim) -> None:
    """As `Checkpoints.started` writes it."""
    async with database.system() as session:
        await session.execute(
            sa.update(JobWindow)
            .where(JobWindow.job_id == taken.job_id)
            .values(executions=JobWindow.executions + 1, fence=taken.fence)
        )


async def test_a_job_that_keeps_taking_its_host_down_is_quarantined(database: Database) -> None:
    workspace = await add_workspace(database)
    job_id = await add_job(database, workspace, windows_planned=1)
    await plan_window(database, job_id, workspace)
    for loss in range(recovery.MAX_HOST_LOSSES):
        assert (await read_job(database, job_id)).host_losses == loss
        async with database.system() as session:
            await session.execute(
                sa.update(Job).where(Job.id == job_id).values(run_after=utcnow() - timedelta(seconds=1))
            )
        taken = await claim(database)
        assert taken is not None
        await begin_window(database, taken)
        await expire(database, job_id)
        await recovery.sweep_expired_leases(database, EventBus())
    job = await read_job(database, job_id)
    assert (job.status, job.error_code) == (JobStatus.FAILED, "quarantined")
    assert f"went down {recovery.MAX_HOST_LOSSES} times" in (job.error_message or "")
    async with database.tenant(workspace, read_only=True) as session:  # the history says the same
        tries = await read_tries(session, await session.get_one(Job, job_id))
    assert tries["host_losses"] == recovery.MAX_HOST_LOSSES


async def test_a_window_that_an_earlier_try_left_behind_is_not_held_against_the_job(
    database: Database,
) -> None:
    """The host goes down again and again while the file is only decoded, or the model loaded."""
    workspace = await add_workspace(database)
    job_id = await add_job(database, workspace, windows_planned=1)
    await plan_window(database, job_id, workspace)
    for loss in range(recovery.MAX_HOST_LOSSES + 2):
        async with database.system() as session:
            await session.execute(
                sa.update(Job).where(Job.id == job_id).values(run_after=utcnow() - timedelta(seconds=1))
            )
        taken = await claim(database)
        assert taken is not None
        if loss == 0:
            await begin_window(database, taken)
        await expire(database, job_id)
        await recovery.sweep_expired_leases(database, EventBus())
    job = await read_job(database, job_id)
    assert (job.status, job.host_losses) == (JobStatus.PENDING, 1)


async def test_restarts_before_any_window_ran_are_not_held_against_the_job(database: Database) -> None:
    job_id = await add_job(database, await add_workspace(database))
    for _ in range(recovery.MAX_HOST_LOSSES + 2):
        assert await claim(database) is not None
        await expire(database, job_id)
        await recovery.sweep_expired_leases(database, EventBus())
    assert (await read_job(database, job_id)).status == JobStatus.PENDING


async def test_events_are_numbered_without_gaps_under_concurrency(database: Database) -> None:
    workspace = await add_workspace(database)
    jobs = [await add_job(database, workspace) for _ in range(4)]
    taken = await asyncio.gather(*(claim(database) for _ in jobs))

    async def churn(one: claims.Claim | None) -> None:
        assert one is not None
        async with database.system() as session:
            await claims.fail(session, EventBus(), one, code="engine_failed", message="x")

    await asyncio.gather(*(churn(c) for c in taken))
    async with database.system(read_only=True) as session:
        rows = await session.execute(sa.select(JobEvent.workspace_seq).order_by(JobEvent.workspace_seq))
        assert list(rows.scalars()) == list(range(1, 13))
    for job_id in jobs:
        assert await event_types(database, job_id) == [(1, "status"), (2, "status"), (3, "end")]


async def test_a_process_whose_clock_is_wrong_harms_nobody(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All times of the queue are the database's; SQLite has none but this machine's."""
    database = Database(postgres_url)
    service = JobService(EventBus(), ring=lambda: None, interrupt=lambda _: None)
    workspace = await add_workspace(database)
    first = await add_job(database, workspace)
    taken = await claim(database)
    assert taken is not None
    for hours in (1, -1):
        for name, module in list(sys.modules.items()):
            if name.startswith("app.") and hasattr(module, "utcnow"):
                wrong = datetime.now(UTC) + timedelta(hours=hours)
                monkeypatch.setattr(module, "utcnow", lambda wrong=wrong: wrong)
        assert await recovery.sweep_expired_leases(database, EventBus()) == 0, "a living lease was taken"
        async with database.system() as session:
            file_id = (await session.get_one(Job, first)).file_id
        async with database.tenant(workspace) as session:
            made = await service.create(session, user_id=None, file_id=file_id, options=JobOptions())
        new = await claim(database)
        assert new is not None, "a job of a fast clock waits"
        assert new.job_id == made.id
        async with database.system() as session:
            await claims.fail(session, EventBus(), new, code="engine_failed", message="x")
        async with database.tenant(workspace) as session:
            await service.retry(session, new.job_id)
        again = await claim(database)
        assert again is not None, "a retry of a fast clock waits"
        async with database.system() as session:
            await claims.fail(session, EventBus(), again, code="engine_failed", message="x")
    await expire(database, first)
    assert await recovery.sweep_expired_leases(database, EventBus()) == 1
    await database.close()
