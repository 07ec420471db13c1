"""The queue is a table: every change of a job's status by a worker passes through the guarded statements here.

A claim raises the job's fence and takes a lease of 30 s by the database's clock. Every later write of that claim
names the fence; where it matches no row, the job was lost (lease swept, cancelled, deleted) and `LostClaimError`
tells the worker to stop at once and write nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.functions import GenericFunction

from app.asr.types import Stage
from app.core.failpoints import reached
from app.db.session import SystemSession
from app.models import HistoryKind, Job, JobStatus, Workspace
from app.services.history import tell, tell_release
from app.services.jobs.bus import EventBus
from app.services.jobs.events import append_end, append_status
from app.services.jobs.minutes import settle
from app.services.jobs.owner import Owner

LEASE = timedelta(seconds=30)
HEARTBEAT_SECONDS = 10.0
HEARTBEAT_RETRY_SECONDS = 1.0
SELF_FENCE_SECONDS = 20.0  # without a good heartbeat for this long a worker stops, before its lease can lapse
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class LostClaimError(Exception):
    """The fence moved on: another process, a cancel or a delete owns this job now."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a job until the fence moves."""

    job_id: UUID
    workspace_id: UUID
    fence: int


async def claim_next(
    session: SystemSession, bus: EventBus, owner: Owner, *, only: sa.ColumnElement[bool] | None = None
) -> Claim | None:
    """Take the next due job, or None; `only` narrows which.

    On Postgres two workers may take two jobs of one workspace at once, neither of which sees the other's: the later one
    finds the limit of parallel jobs passed when it holds the workspace's row, and gives its job back.
    """
    try:
        async with session.begin_nested():
            return await _claim_next(session, bus, owner, sa.true() if only is None else only)
    except _OverLimitError:
        return None


class _OverLimitError(Exception):
    """More jobs of a workspace would run than it may."""


async def _claim_next(
    session: SystemSession, bus: EventBus, owner: Owner, only: sa.ColumnElement[bool]
) -> Claim | None:
    """One statement picks and takes the job.

    Workspaces with fewer running jobs come first, among equals the one that was served longest ago, so that one tenant's
    thousand jobs do not hold up another's one, in a single slot neither; those at their limit of parallel jobs are
    passed over.
    Two processes may pick the same candidate: `SKIP LOCKED` on Postgres, BEGIN IMMEDIATE on SQLite and the repeated
    status condition let exactly one win.
    """
    now = await session.database_now()
    counted = aliased(Job)
    running = (  # counted once a claim, not once a waiting job
        sa.select(counted.workspace_id, sa.func.count().label("jobs"))
        .where(counted.status == JobStatus.PROCESSING)
        .group_by(counted.workspace_id)
        .subquery()
    )
    load = sa.func.coalesce(running.c.jobs, 0)
    served = sa.func.coalesce(Workspace.served_at, sa.literal(_NEVER, Workspace.served_at.type))
    candidate = (
        sa.select(Job.id)
        .join(Workspace, Workspace.id == Job.workspace_id)
        .outerjoin(running, running.c.workspace_id == Job.workspace_id)
        .where(
            Job.status == JobStatus.PENDING,
            Job.run_after <= now,
            only,
            sa.or_(Workspace.quota_parallel_jobs.is_(None), load < Workspace.quota_parallel_jobs),
        )
        .order_by(load, served, Job.run_after, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Job)
    )
    job = await _update(
        session,
        [Job.id == candidate.scalar_subquery(), Job.status == JobStatus.PENDING],
        {
            "status": JobStatus.PROCESSING,
            "fence": Job.fence + 1,
            "lease_owner": str(owner),
            "lease_expires_at": now + LEASE,
            "claimed_at": now,
            "started_at": sa.func.coalesce(Job.started_at, sa.literal(now, Job.started_at.type)),
            "stage": Stage.DECODING,
            "wait_reason": None,
            "error_code": None,
            "error_message": None,
            "error_detail": None,
        },
    )
    if job is None:
        return None
    reached("claim.before")
    await append_status(session, bus, job)  # holds the workspace's row from here on
    await tell(session, job, HistoryKind.CLAIMED, at=now)
    await session.execute(
        sa.update(Workspace)
        .where(Workspace.id == job.workspace_id)
        .values(served_at=now)
        .execution_options(synchronize_session=False)
    )
    await _check_parallel(session, job)
    session.after_commit(lambda: reached("claim.after"))
    return Claim(job.id, job.workspace_id, job.fence)


async def _check_parallel(session: SystemSession, job: Job) -> None:
    limit = await session.scalar(
        sa.select(Workspace.quota_parallel_jobs).where(Workspace.id == job.workspace_id)
    )
    if limit is None:
        return
    running = await session.scalar(
        sa.select(sa.func.count())
        .select_from(Job)
        .where(Job.workspace_id == job.workspace_id, Job.status == JobStatus.PROCESSING)
    )
    if (running or 0) > limit:
        raise _OverLimitError


async def heartbeat(session: SystemSession, claim: Claim) -> bool:
    """Extend the lease. True where a cancel was asked for. Raises `LostClaimError`."""
    now = await session.database_now()
    job = await guarded(session, claim, {"lease_expires_at": now + LEASE})
    return job.cancel_requested_at is not None


async def guarded(session: SystemSession, claim: Claim, values: dict[str, Any]) -> Job:
    """Write `values` where the claim still holds, and give back the job as it is now. Raises `LostClaimError`."""
    job = await _update(
        session,
        [Job.id == claim.job_id, Job.fence == claim.fence, Job.status == JobStatus.PROCESSING],
        values,
    )
    if job is None:
        raise LostClaimError
    return job


async def release(
    session: SystemSession,
    bus: EventBus,
    claim: Claim,
    *,
    run_after: datetime,
    again: bool,
    wait_reason: str | None = None,
    error: tuple[str, str] | None = None,
    counters: dict[str, Any] | None = None,
    cause: HistoryKind = HistoryKind.HANDED_BACK,
) -> None:
    """Back to the queue with everything committed kept; `again` counts it as a new attempt (never on shutdown).

    `error` (code, message) stays on the waiting job, so that people see why it waits. `cause` is what the history tells
    where neither a `wait_reason` nor an `error` does.
    """
    now = await session.database_now()
    job = await guarded(
        session,
        claim,
        {
            **_let_go(now),
            **(counters or {}),
            "status": JobStatus.PENDING,
            "run_after": run_after,
            "wait_reason": wait_reason,
            "attempt": Job.attempt + (1 if again else 0),
            "error_code": error[0] if error else None,
            "error_message": error[1] if error else None,
        },
    )
    await append_status(session, bus, job)
    await tell_release(session, job, cause, at=now)


async def fail(
    session: SystemSession,
    bus: EventBus,
    claim: Claim,
    *,
    code: str,
    message: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """The end of a job that cannot go on; its committed windows stay readable. `detail` as `Job.error_detail`."""
    now = await session.database_now()
    job = await guarded(
        session,
        claim,
        {
            **_let_go(now),
            "status": JobStatus.FAILED,
            "error_code": code,
            "error_message": message,
            "error_detail": detail,
            "finished_at": now,
            "eta_seconds": None,
        },
    )
    await settle(session, job)
    await append_end(session, bus, job)
    await tell(session, job, HistoryKind.FAILED, at=now, code=code, message=message, **(detail or {}))


async def cancelled(session: SystemSession, bus: EventBus, claim: Claim) -> None:
    """The end of a job that somebody cancelled while it ran."""
    now = await session.database_now()
    job = await guarded(
        session,
        claim,
        {**_let_go(now), "status": JobStatus.CANCELLED, "finished_at": now, "eta_seconds": None},
    )
    await settle(session, job)
    await append_end(session, bus, job)
    await tell(session, job, HistoryKind.CANCELLED, at=now)


async def complete(session: SystemSession, bus: EventBus, claim: Claim, values: dict[str, Any]) -> None:
    """The good end. Matches only a full plan without a cancel, so a cancel beats a late finish.

    The transcript's rows are inserted by the caller in this same transaction.
    """
    now = await session.database_now()
    job = await _update(
        session,
        [
            Job.id == claim.job_id,
            Job.fence == claim.fence,
            Job.status == JobStatus.PROCESSING,
            Job.cancel_requested_at.is_(None),
            Job.plan_complete.is_(True),
            Job.windows_committed == Job.windows_planned,
        ],
        {
            **_let_go(now),
            **values,
            "status": JobStatus.COMPLETED,
            "progress": 1.0,
            "eta_seconds": None,
            "finished_at": now,
        },
    )
    if job is None:
        raise LostClaimError
    await settle(session, job)
    await append_end(session, bus, job)
    await tell(session, job, HistoryKind.COMPLETED, at=now, cached=job.cached_from is not None or None)


def _let_go(now: datetime) -> dict[str, Any]:
    """Values that end a lease. The fence moves, so that nothing of the old claim can be written any more."""
    return {
        "fence": Job.fence + 1,
        "stage": None,
        "lease_owner": None,
        "lease_expires_at": None,
        "claimed_at": None,
        "processing_time_ms": sa.func.coalesce(Job.processing_time_ms, 0) + _since_claim(now),
    }


def _since_claim(now: datetime) -> sa.ColumnElement[int]:
    return _Elapsed(Job.claimed_at, sa.literal(now, Job.claimed_at.type))


class _Elapsed(GenericFunction[int]):
    """Milliseconds between two moments, in each database's words."""

    name = "elapsed_ms"
    type = sa.BigInteger()
    inherit_cache = True


@compiles(_Elapsed)
def _compile_elapsed(element: Any, compiler: Any, **kw: Any) -> str:
    began, now = (compiler.process(c, **kw) for c in element.clauses)
    if compiler.dialect.name == "sqlite":
        return f"CAST(max(0, (julianday({now}) - julianday({began})) * 86400000) AS INTEGER)"
    return f"CAST(greatest(0, extract(epoch FROM ({now} - {began})) * 1000) AS BIGINT)"


async def _update(session: SystemSession, where: list[Any], values: dict[str, Any]) -> Job | None:
    """One conditional UPDATE (a row lock without `values`); the row, or None where the condition did not hold."""
    statement: Any
    if values:
        statement = sa.update(Job).where(*where).values(**values).returning(Job)
    else:
        statement = sa.select(Job).where(*where).with_for_update()
    statement = statement.execution_options(synchronize_session=False, populate_existing=True)
    job: Job | None = (await session.execute(statement)).scalar_one_or_none()
    return job
