"""Runs that do a part of a completed job again: gaps in the text, or who said what. The rest stays as it is.

The windows of the run before are carried into a new run, so that nothing but what was asked for is done again. Until
the new transcript is there the earlier one is what people read; it comes back where the run fails or is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.asr.types import Mode
from app.core.errors import InvalidStateError, NotFoundError
from app.db.session import TenantSession
from app.models import Job, JobStatus, JobWindow, SpeakerState
from app.services.jobs.bus import EventBus
from app.services.jobs.requeue import requeue, require_recording


class Repairs:
    """`ring` tells the executor that there is work."""

    def __init__(self, bus: EventBus, *, ring: Callable[[], None]) -> None:
        self._bus = bus
        self._ring = ring

    async def gaps(
        self, session: TenantSession, job_id: UUID, *, start_ms: int | None = None, end_ms: int | None = None
    ) -> Job:
        """Listens again, and differently, to the windows whose gaps touch the given stretch, or to all with gaps.

        Raises `NotFoundError`, `InvalidStateError` where the job is not completed or has no such gap.
        """
        job = await _completed(session, job_id)
        asked = (start_ms or 0, job.duration_ms or 0 if end_ms is None else end_ms)
        windows = await session.execute(
            sa.select(JobWindow.idx, JobWindow.gaps).where(
                JobWindow.job_id == job.id, JobWindow.run == job.run
            )
        )
        wanted = [index for index, gaps in windows if any(_touches(gap, asked) for gap in gaps)]
        if not wanted:
            raise InvalidStateError("There is no gap to listen to again.")
        await _carry_over(session, job)
        # Text, gaps and coverage stay in the row until something better is heard (`windows.committed_values`).
        await session.execute(
            sa.update(JobWindow)
            .where(JobWindow.job_id == job.id, JobWindow.idx.in_(wanted))
            .values(committed_at=None, executions=0, crashes=0, reruns=JobWindow.reruns + 1)
            .execution_options(synchronize_session=False)
        )
        left = job.windows_committed - len(wanted)
        values = {
            "run": Job.run + 1,
            "windows_committed": left,
            "progress": left / max(1, job.windows_planned),
        }
        return await requeue(session, self._bus, self._ring, job, values, told={"what": "gaps"})

    async def speakers(
        self,
        session: TenantSession,
        job_id: UUID,
        *,
        speakers: int | None = None,
        max_speakers: int | None = None,
    ) -> Job:
        """Tells the speakers apart again; no word is listened to again. What is asked replaces the job's numbers.

        Raises `NotFoundError`, `InvalidStateError` where the job is not completed, is no dialogue, or has speakers
        that came with its text: channels, or those of a provider.
        """
        job = await _completed(session, job_id)
        if job.mode != Mode.DIALOGUE:
            raise InvalidStateError(
                "This transcription was not asked to tell speakers apart. Make one in the mode dialogue."
            )
        if job.speaker_state == SpeakerState.DONE and not await _was_told_apart(session, job):
            raise InvalidStateError("The speakers of this recording came with its text and are known.")
        await _carry_over(session, job)
        values: dict[str, Any] = {
            "run": Job.run + 1,
            "progress": 0.99,  # all but this
            "speakers": speakers,
            "max_speakers": max_speakers,
            "speaker_state": SpeakerState.PENDING,
            "speaker_reason": None,
            "warnings": [w for w in job.warnings if w["code"] != "no_speakers"],
        }
        return await requeue(session, self._bus, self._ring, job, values, told={"what": "speakers"})


async def _completed(session: TenantSession, job_id: UUID) -> Job:
    found = await session.execute(sa.select(Job).where(Job.id == job_id).with_for_update())
    job = found.scalar_one_or_none()
    if job is None:
        raise NotFoundError
    if job.status != JobStatus.COMPLETED:
        raise InvalidStateError(f"This job is {job.status}. It can be repaired once it is completed.")
    require_recording(job)
    return job


async def _carry_over(session: TenantSession, job: Job) -> None:
    await session.execute(
        sa.update(JobWindow)
        .where(JobWindow.job_id == job.id, JobWindow.run == job.run)
        .values(run=job.run + 1)
        .execution_options(synchronize_session=False)
    )


async def _was_told_apart(session: TenantSession, job: Job) -> bool:
    turns = await session.execute(sa.select(Job.speaker_turns).where(Job.id == job.id))
    return turns.scalar_one() is not None


def _touches(gap: Sequence[int], asked: tuple[int, int]) -> bool:
    return gap[0] < asked[1] and gap[1] > asked[0]
