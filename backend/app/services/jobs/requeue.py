"""Puts a job that has ended back into the queue: the one statement behind every kind of "again"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from app.core.errors import InvalidStateError
from app.db.session import TenantSession
from app.models import HistoryKind, Job, JobStatus
from app.services.history import tell, tell_wait
from app.services.jobs.admission import wait_of_new
from app.services.jobs.bus import EventBus
from app.services.jobs.events import append_status


def require_recording(job: Job) -> None:
    """Raises `InvalidStateError` where there is nothing left to listen to."""
    if job.file_id is None and job.source_url is None:
        raise InvalidStateError(
            "The recording of this transcription is gone: the workspace keeps recordings for a limited time. "
            "Upload it again to have it transcribed anew."
        )


async def requeue(
    session: TenantSession,
    bus: EventBus,
    ring: Callable[[], None],
    job: Job,
    values: dict[str, Any],
    *,
    told: Mapping[str, Any],
) -> Job:
    """The job as pending, with `values` on top; its row is locked by the caller, who has seen that it is final.
    `told` is what its history says of that.

    The fence moves, so that nothing of an earlier claim can be written any more.
    """
    again: dict[str, Any] = {
        "status": JobStatus.PENDING,
        "stage": None,
        "wait_reason": await wait_of_new(session),
        "error_code": None,
        "error_message": None,
        "error_detail": None,
        "cancel_requested_at": None,
        "run_after": await session.database_now(),
        "attempt": Job.attempt + 1,
        "fence": Job.fence + 1,
        "engine_errors": 0,
        "host_losses": 0,
        "finished_at": None,
        "started_at": None,
        "processing_time_ms": None,
        "eta_seconds": None,
        "fresh": True,  # who asks again does not want the text that is stored
    }
    updated = await session.execute(
        sa.update(Job)
        .where(Job.id == job.id)
        .values(**again | values)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    job = updated.scalar_one()
    await append_status(session, bus, job)
    await tell(session, job, HistoryKind.RETRIED, **told)
    await tell_wait(session, job)
    session.after_commit(ring)
    return job
