"""Takes back the jobs of processes that are gone: at start-up those of this host's dead processes, later by lease."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app.asr.types import Stage
from app.core.logging import get_logger
from app.db.session import Database, SystemSession
from app.models import Job, JobStatus, JobWindow
from app.services.jobs import claims
from app.services.jobs.bus import EventBus
from app.services.jobs.owner import Owner

log = get_logger(__name__)

MAX_HOST_LOSSES = 5  # in a row, without a new window, while one was being transcribed
BACKOFF_AFTER_LOSS = timedelta(seconds=2)


async def recover_dead_owners(database: Database, bus: EventBus) -> int:
    """Jobs whose owner certainly died on this machine, at once. Other hosts' jobs are left to their leases."""
    async with database.system(read_only=True) as session:
        rows = (
            await session.execute(
                sa.select(Job.id, Job.workspace_id, Job.fence, Job.lease_owner).where(
                    Job.status == JobStatus.PROCESSING
                )
            )
        ).all()
    dead: dict[str, bool] = {}
    for row in rows:
        owner = row.lease_owner or ""
        if owner and owner not in dead:
            dead[owner] = Owner.parse(owner).is_certainly_dead()
    lost = [claims.Claim(r.id, r.workspace_id, r.fence) for r in rows if dead.get(r.lease_owner or "", True)]
    return await _take_back(database, bus, lost)


async def sweep_expired_leases(database: Database, bus: EventBus) -> int:
    """Jobs whose lease ran out, on any host. Safe in every process at once: each is one compare-and-set."""
    async with database.system(read_only=True) as session:
        now = await session.database_now()
        rows = (
            await session.execute(
                sa.select(Job.id, Job.workspace_id, Job.fence).where(
                    Job.status == JobStatus.PROCESSING, Job.lease_expires_at < now
                )
            )
        ).all()
    return await _take_back(database, bus, [claims.Claim(r.id, r.workspace_id, r.fence) for r in rows])


async def _take_back(database: Database, bus: EventBus, lost: list[claims.Claim]) -> int:
    taken = 0
    for claim in lost:
        try:
            async with database.system() as session:
                await _take_back_one(session, bus, claim)
            taken += 1
        except claims.LostClaimError:
            continue  # somebody else was quicker, or its owner came back in time
    return taken


async def _take_back_one(session: SystemSession, bus: EventBus, claim: claims.Claim) -> None:
    job = await claims.guarded(session, claim, {})
    if job.cancel_requested_at is not None:
        await claims.cancelled(session, bus, claim)
        return
    counters: dict[str, Any] = {}
    if await _was_transcribing(session, job):
        losses = job.host_losses + 1
        if losses >= MAX_HOST_LOSSES:
            await claims.fail(
                session,
                bus,
                claim,
                code="quarantined",
                message=f"The server went down {losses} times in a row while this recording was being transcribed. "
                "It is set aside so that it cannot do so again. Text up to that point is kept; retry starts from there.",
            )
            return
        counters = {"host_losses": losses}
    now = await session.database_now()
    delay = (
        BACKOFF_AFTER_LOSS * counters.get("host_losses", 0)
        if counters.get("host_losses", 0) > 1
        else timedelta()
    )
    await claims.release(session, bus, claim, run_after=now + delay, again=True, counters=counters)
    log.info("job_taken_back", job_id=str(claim.job_id), **counters)


async def _was_transcribing(session: SystemSession, job: Job) -> bool:
    """Whether a window was begun and never committed, or voices were being told apart: only then can the job be what
    brought the host down."""
    if job.stage == Stage.DIARIZING:
        return True
    begun = sa.select(JobWindow.idx).where(
        JobWindow.job_id == job.id,
        JobWindow.run == job.run,
        JobWindow.committed_at.is_(None),
        JobWindow.executions > 0,
    )
    return (await session.execute(begun.limit(1))).first() is not None
