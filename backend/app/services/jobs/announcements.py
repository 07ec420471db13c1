"""What other systems are told of jobs: ids and states. What they may read of it, they fetch."""

from __future__ import annotations

import sqlalchemy as sa

from app.db.session import SystemSession, TenantSession
from app.models import Job, JobStatus, Transcript
from app.models.webhooks import EventType
from app.services.outbox import announce

_ENDS = {
    JobStatus.COMPLETED: EventType.JOB_COMPLETED,
    JobStatus.FAILED: EventType.JOB_FAILED,
    JobStatus.CANCELLED: EventType.JOB_CANCELLED,
}


async def announce_end(session: TenantSession | SystemSession, job: Job) -> None:
    """In the transaction that ends a run. A run that gave the job another text than it had says so as well."""
    status = JobStatus(job.status)
    failed = status is JobStatus.FAILED
    announce(
        session,
        job.workspace_id,
        _ENDS[status],
        job_id=job.id,
        status=status,
        attempt=job.attempt,
        file_id=job.file_id,
        transcript_id=job.transcript_id,
        error={"code": job.error_code} if failed else None,
    )
    if status is JobStatus.COMPLETED and await _had_another_text(session, job):
        announce(
            session,
            job.workspace_id,
            EventType.TRANSCRIPT_UPDATED,
            job_id=job.id,
            transcript_id=job.transcript_id,
            change="text",
        )


async def _had_another_text(session: TenantSession | SystemSession, job: Job) -> bool:
    earlier = sa.select(Transcript.id).where(
        Transcript.workspace_id == job.workspace_id,
        Transcript.job_id == job.id,
        Transcript.id != job.transcript_id,
    )
    return (await session.execute(earlier.limit(1))).first() is not None
