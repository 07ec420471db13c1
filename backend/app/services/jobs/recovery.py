"""Takes back the jobs of processes that are gone: those of this host's dead ones at once, all others by their leases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app.asr.types import Stage
from app.core.logging import get_logger
from app.db.session import Database, SystemSession
from app.models import HistoryKind, Job, JobStatus, JobWindow
from app.services.history import tell
from app.services.jobs import claims
from app.services.jobs.bus import EventBus
from app.services.jobs.owner import Owner
from app.services.jobs.quarantine import error_detail

log = get_logger(__name__)

MAX_HOST_LOSSES = 5  # in a row, without a new window, while one was being transcribed
BACKOFF_AFTER_LOSS = timedelta(seconds=2)
ADVICE = "Look whether the server ran out of memory. Retry with a smaller model: it goes on from the text that is there."


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
    dead = {text: _is_dead(text) for text in {row.lease_owner or "" for row in rows}}
    lost = [claims.Claim(r.id, r.workspace_id, r.fence) for r in rows if dead[r.lease_owner or ""]]
    return await _take_back(database, bus, lost)


def _is_dead(text: str) -> bool:
    owner = Owner.parse(text)
    return owner is not None and owner.is_certainly_dead()


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
    begun = await _begun_windows(session, job)
    if begun or job.stage == Stage.DIARIZING:  # only then can the job be what brought the host down
        losses = job.host_losses + 1
        if losses >= MAX_HOST_LOSSES:
            job = await claims.guarded(session, claim, {"host_losses": losses})
            await tell(session, job, HistoryKind.HOST_LOST, count=losses)
            await claims.fail(
                session,
                bus,
                claim,
                code="quarantined",
                message=f"The server went down {losses} times in a row while this recording was being transcribed. "
                "It is set aside so that it cannot do so again."
                + (" Text up to that point is kept." if job.windows_committed else ""),
                detail=error_detail(begun[0] if begun else None, "", ADVICE),
            )
            return
        counters = {"host_losses": losses}
    now = await session.database_now()
    delay = (
        BACKOFF_AFTER_LOSS * counters.get("host_losses", 0)
        if counters.get("host_losses", 0) > 1
        else timedelta()
    )
    await claims.release(
        session,
        bus,
        claim,
        run_after=now + delay,
        again=True,
        counters=counters,
        cause=HistoryKind.HOST_LOST,
    )
    log.info("job_taken_back", job_id=str(claim.job_id), **counters)


async def _begun_windows(session: SystemSession, job: Job) -> list[int]:
    """Windows that the lost claim had begun and not committed, in order. One that an earlier claim left behind tells
    nothing of this loss: the job may have been at its file's beginning again."""
    begun = sa.select(JobWindow.idx).where(
        JobWindow.job_id == job.id,
        JobWindow.run == job.run,
        JobWindow.committed_at.is_(None),
        JobWindow.executions > 0,
        JobWindow.fence == job.fence,
    )
    return list((await session.execute(begun.order_by(JobWindow.idx))).scalars())
