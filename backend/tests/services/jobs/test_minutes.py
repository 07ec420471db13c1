"""What a job is charged: set aside when it is made, settled in the transaction that ends it, whatever the end."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.asr.types import Window
from app.core.clock import utcnow
from app.core.errors import JobError
from app.db.session import Database
from app.models import Job, JobStatus, JobWindow, UsageRecord, UsageState, Workspace
from app.services.identity.quotas import MINUTE_MS
from app.services.jobs import claims, minutes, planning, recovery
from app.services.jobs.bus import EventBus
from app.services.jobs.checkpoints import JobSink
from app.services.jobs.owner import Owner
from tests.fixtures.jobs import add_job, add_workspace, read_job

BUS = EventBus()


async def reserved_job(database: Database, workspace: UUID, **fields: Any) -> UUID:
    """A pending job of ten minutes, which are set aside."""
    job_id = await add_job(database, workspace, duration_ms=10 * MINUTE_MS, **fields)
    async with database.tenant(workspace) as session:
        await minutes.reserve(session, await session.get_one(Job, job_id))
    return job_id


async def claim(database: Database) -> claims.Claim | None:
    async with database.system() as session:
        return await claims.claim_next(session, BUS, Owner.current())


async def commit_window(database: Database, job_id: UUID, idx: int, *, done: bool = True) -> None:
    async with database.system() as session:
        job = await session.get_one(Job, job_id)
        session.add(
            JobWindow(
                job_id=job_id,
                workspace_id=job.workspace_id,
                run=job.run,
                idx=idx,
                start_ms=idx * 30_000,
                end_ms=(idx + 1) * 30_000,
                speech=[],
                segments=[] if done else None,
                committed_at=utcnow() if done else None,
            )
        )


async def records(database: Database) -> list[tuple[str, int]]:
    async with database.system(read_only=True) as session:
        rows = await session.execute(
            sa.select(UsageRecord.state, UsageRecord.audio_ms).order_by(UsageRecord.run)
        )
        return [(row[0], row[1]) for row in rows]


async def end(
    database: Database, taken: claims.Claim, how: str, *, killed: BaseException | None = None
) -> None:
    async with database.system() as session:
        if how == "completed":
            await claims.guarded(session, taken, {"plan_complete": True})
            await claims.complete(session, BUS, taken, {})
        elif how == "cached":
            await claims.guarded(session, taken, {"plan_complete": True, "cached_from": taken.job_id})
            await claims.complete(session, BUS, taken, {})
        elif how == "failed":
            await claims.fail(session, BUS, taken, code="engine_failed", message="It broke.")
        else:
            await claims.cancelled(session, BUS, taken)
        if killed is not None:
            raise killed


@pytest.mark.parametrize(
    ("how", "windows", "charged"),
    [
        ("completed", 0, 10 * MINUTE_MS),
        ("cached", 0, 0),
        ("failed", 2, MINUTE_MS),
        ("failed", 0, 0),
        ("cancelled", 1, 30_000),
        ("cancelled", 0, 0),
    ],
)
async def test_each_end_settles_to_what_was_done(
    database: Database, how: str, windows: int, charged: int
) -> None:
    workspace = await add_workspace(database)
    job_id = await reserved_job(database, workspace)
    taken = await claim(database)
    assert taken is not None
    for idx in range(windows):
        await commit_window(database, job_id, idx)
    await commit_window(database, job_id, windows, done=False)
    assert await records(database) == [(UsageState.RESERVED, 10 * MINUTE_MS)]
    await end(database, taken, how)
    state = UsageState.SETTLED if charged else UsageState.RELEASED
    assert await records(database) == [(state, charged)]


@pytest.mark.parametrize("how", ["completed", "failed", "cancelled"])
async def test_a_kill_before_the_commit_leaves_job_and_minutes_as_they_were(
    database: Database, how: str
) -> None:
    workspace = await add_workspace(database)
    job_id = await reserved_job(database, workspace)
    taken = await claim(database)
    assert taken is not None
    await commit_window(database, job_id, 0)

    class Killed(BaseException):
        """The process is gone between the work and its commit."""

    with pytest.raises(Killed):
        await end(database, taken, how, killed=Killed())
    assert (await read_job(database, job_id)).status == JobStatus.PROCESSING
    assert await records(database) == [(UsageState.RESERVED, 10 * MINUTE_MS)]

    async with database.system() as session:  # the lease runs out; the next process takes it up
        await session.execute(sa.update(Job).values(lease_expires_at=utcnow().replace(year=2020)))
    assert await recovery.sweep_expired_leases(database, BUS) == 1
    assert await records(database) == [(UsageState.RESERVED, 10 * MINUTE_MS)]
    async with database.system() as session:
        await session.execute(sa.update(Job).values(run_after=utcnow().replace(year=2020)))
    again = await claim(database)
    assert again is not None
    await end(database, again, how)
    with pytest.raises(claims.LostClaimError):  # the process that was thought dead comes back
        await end(database, taken, how)
    charged = 10 * MINUTE_MS if how == "completed" else 30_000
    assert await records(database) == [(UsageState.SETTLED, charged)]


async def test_work_that_another_engine_took_over_is_charged_once(database: Database) -> None:
    """A new plan is a new run; nothing was set aside for it anew."""
    workspace = await add_workspace(database)
    await reserved_job(database, workspace)
    taken = await claim(database)
    assert taken is not None
    async with database.system() as session:
        await planning.forget_plan(session, taken)
    await end(database, taken, "completed")
    assert await records(database) == [(UsageState.SETTLED, 10 * MINUTE_MS)]


async def test_a_failed_job_that_is_tried_again_fits_where_it_fitted_before(database: Database) -> None:
    """What it was charged for the first try does not stand in its own way, and is not charged twice."""
    workspace = await add_workspace(database)
    async with database.system() as session:
        await session.execute(sa.update(Workspace).values(quota_minutes=10))
    job_id = await reserved_job(database, workspace)
    taken = await claim(database)
    assert taken is not None
    await commit_window(database, job_id, 0)
    await end(database, taken, "failed")
    assert await records(database) == [(UsageState.SETTLED, 30_000)]
    async with database.tenant(workspace) as session:
        await minutes.reserve(session, await session.get_one(Job, job_id))
    assert await records(database) == [(UsageState.RESERVED, 10 * MINUTE_MS)]


async def test_a_recording_of_unknown_length_never_takes_more_than_is_left(database: Database) -> None:
    """More is set aside ten minutes ahead, near the limit window by window, and not one window over it."""
    workspace = await add_workspace(database)
    async with database.system() as session:
        await session.execute(sa.update(Workspace).values(quota_minutes=11))
    job_id = await add_job(database, workspace)
    async with database.tenant(workspace) as session:
        await minutes.reserve(session, await session.get_one(Job, job_id))
    taken = await claim(database)
    assert taken is not None
    store: Any = None
    sink = JobSink(database, BUS, store, taken, await read_job(database, job_id))
    held = []
    for idx in range(22):
        await sink.plan(Window(idx, idx * 30_000, (idx + 1) * 30_000))
        held.append((await records(database))[0][1])
    with pytest.raises(JobError) as refused:
        await sink.plan(Window(22, 22 * 30_000, 23 * 30_000))
    assert refused.value.code == "quota_exceeded"
    assert "administrator" in refused.value.message
    assert (held[0], held[-1]) == (30_000 + minutes.AHEAD_MS, 11 * MINUTE_MS)
    assert (await read_job(database, job_id)).windows_planned == 22


async def test_the_limit_of_parallel_jobs_holds_for_workers_at_the_same_moment(database: Database) -> None:
    workspace, other = await add_workspace(database), await add_workspace(database)
    async with database.system() as session:
        await session.execute(
            sa.update(Workspace).where(Workspace.id == workspace).values(quota_parallel_jobs=2)
        )
    for _ in range(8):
        await add_job(database, workspace)
    await add_job(database, other)
    for _ in range(6):
        await asyncio.gather(*(claim(database) for _ in range(8)))
        async with database.system(read_only=True) as session:
            running = await session.scalar(
                sa.select(sa.func.count())
                .select_from(Job)
                .where(Job.workspace_id == workspace, Job.status == JobStatus.PROCESSING)
            )
        assert running <= 2
    assert running == 2
    async with database.system(read_only=True) as session:
        statuses = await session.execute(sa.select(Job.status).where(Job.workspace_id == other))
        assert statuses.scalars().all() == [JobStatus.PROCESSING]
