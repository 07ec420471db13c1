"""What a job's audio counts against its workspace's minutes: set aside when it is made, settled when it ends."""

from __future__ import annotations

import sqlalchemy as sa

from app.core.errors import JobError, QuotaExceededError
from app.db.session import SystemSession, TenantSession
from app.models import Job, JobStatus, JobWindow
from app.services.identity.quotas import reserve_minutes, settle_minutes

AHEAD_MS = 10 * 60_000  # how much more is set aside at a time, where the length is not known


async def reserve(session: TenantSession | SystemSession, job: Job) -> None:
    """For a job that begins, as long as its recording is known to be. Raises `QuotaExceededError`."""
    await reserve_minutes(
        session,
        job.workspace_id,
        job_id=job.id,
        run=job.run,
        user_id=job.created_by,
        audio_ms=job.duration_ms or 0,
    )


async def reserve_up_to(session: SystemSession, job: Job, end_ms: int) -> int:
    """More, for a recording that turns out to be longer: a good piece ahead, or the next window alone where no more is
    left. Answers how far it reaches. Raises JobError `quota_exceeded`; what has text by then stays readable."""
    for audio_ms in (end_ms + AHEAD_MS, end_ms):
        try:
            await reserve_minutes(
                session,
                job.workspace_id,
                job_id=job.id,
                run=job.run,
                user_id=job.created_by,
                audio_ms=audio_ms,
            )
        except QuotaExceededError as error:
            refusal = error
        else:
            return audio_ms
    raise JobError(refusal.code, refusal.message) from refusal


async def settle(session: TenantSession | SystemSession, job: Job) -> None:
    """What the run took in the end: all of a completed recording, of any other what has text. A stored text is free,
    and so is what was only repaired."""
    if job.status == JobStatus.COMPLETED:
        audio_ms = 0 if job.cached_from is not None else job.duration_ms or 0
    else:
        done = sa.select(sa.func.coalesce(sa.func.sum(JobWindow.end_ms - JobWindow.start_ms), 0)).where(
            JobWindow.job_id == job.id, JobWindow.run == job.run, JobWindow.committed_at.is_not(None)
        )
        audio_ms = int((await session.execute(done)).scalar_one())
    await settle_minutes(session, job_id=job.id, audio_ms=audio_ms)
