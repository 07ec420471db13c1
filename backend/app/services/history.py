"""Tells what happens to a job, in the transaction in which it happens: the write side of a job's history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.core.caller import current_caller
from app.core.clock import to_json_time
from app.db.session import SystemSession, TenantSession
from app.models.history import HistoryEntry, HistoryKind
from app.models.jobs import Job

# What people do. Of anything else nobody is named: a worker does it, whoever made it begin.
_BY_PEOPLE = frozenset(
    {
        HistoryKind.CREATED,
        HistoryKind.TRIED_AT_ONCE,
        HistoryKind.RETRIED,
        HistoryKind.CANCEL_REQUESTED,
    }
)


async def tell(
    session: TenantSession | SystemSession,
    job: Job,
    kind: HistoryKind,
    *,
    at: datetime | None = None,
    **detail: Any,
) -> None:
    """Add an entry. `at` is the database's time, where the caller has it already.

    `detail` takes the fields of docs/api.md, History of a job; None leaves one out. It holds no words of a transcript.
    """
    caller = current_caller() if kind in _BY_PEOPLE else None
    session.add(
        HistoryEntry(
            workspace_id=job.workspace_id,
            job_id=job.id,
            kind=kind,
            attempt=job.attempt,
            user_id=caller.user_id if caller else None,
            api_key_id=caller.api_key_id if caller else None,
            detail={name: _plain(value) for name, value in detail.items() if value is not None},
            created_at=at or await session.database_now(),
        )
    )


async def tell_release(session: SystemSession, job: Job, cause: HistoryKind, *, at: datetime) -> None:
    """Why a job is back in the queue: `cause`, unless it says so itself."""
    later = job.run_after if job.run_after > at else None
    if job.wait_reason is not None:
        await tell(
            session,
            job,
            HistoryKind.WAITING,
            at=at,
            reason=job.wait_reason,
            code=job.error_code,
            message=job.error_message,
            run_after=later,
        )
    elif job.error_code is not None:
        await tell(
            session,
            job,
            HistoryKind.RETRY_SCHEDULED,
            at=at,
            code=job.error_code,
            message=job.error_message,
            count=job.engine_errors or None,
            run_after=later,
        )
    elif cause == HistoryKind.HOST_LOST:
        await tell(session, job, cause, at=at, count=job.host_losses or None, run_after=later)
    else:
        await tell(session, job, cause, at=at)


async def tell_wait(session: TenantSession | SystemSession, job: Job) -> None:
    """What a job that is due waits for all the same; nothing where it waits for its turn only."""
    if job.wait_reason is not None:
        await tell(session, job, HistoryKind.WAITING, reason=job.wait_reason)


def _plain(value: Any) -> Any:
    return to_json_time(value) if isinstance(value, datetime) else value
