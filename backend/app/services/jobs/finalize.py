"""Makes the transcript of a full plan, exactly once, in one transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.asr.types import Stage
from app.core.clock import new_id
from app.db.session import Database, SystemSession
from app.models import Job, JobWindow, Segment, Transcript
from app.services.jobs import claims
from app.services.jobs.bus import EventBus
from app.services.transcripts.codec import segment_id

CHUNK = 100  # windows read and written at a time: memory stays flat for a ten-hour file

LOW_ACCURACY = {
    "code": "low_accuracy",
    "message": "This is a draft by a small offline engine, because no speech model is installed. "
    "Get the real model with `transcribe models download` and run this again.",
}
NO_SPEECH = {"code": "no_speech", "message": "No speech was found in this recording."}


async def finalize(database: Database, bus: EventBus, claim: claims.Claim) -> None:
    """Insert transcript and segments and complete the job. Raises `LostClaimError` where the claim is gone,
    a cancel came first or the plan is not full; then nothing is written."""
    async with database.system() as session:
        job = await claims.guarded(session, claim, {"stage": Stage.FINALIZING})
    async with database.system() as session:
        job = await claims.guarded(session, claim, {})
        transcript = Transcript(
            id=new_id(),
            job_id=job.id,
            workspace_id=job.workspace_id,
            run=job.run,
            language=job.detected_language or (None if job.language == "auto" else job.language),
            duration_ms=job.duration_ms or 0,
            engine=job.engine or "",
            model=job.model,
            low_accuracy=job.low_accuracy,
            warnings=[],
        )
        session.add(transcript)
        await session.flush()
        count = await _copy_segments(session, job, transcript)
        warnings = _warnings(job, count)
        transcript.warnings = warnings
        await session.flush()
        await claims.complete(session, bus, claim, {"transcript_id": transcript.id, "warnings": warnings})


def _warnings(job: Job, segments: int) -> list[dict[str, str]]:
    warnings = list(job.warnings)
    codes = {w["code"] for w in warnings}
    if segments == 0 and "no_speech" not in codes:
        warnings.append(NO_SPEECH)
    if job.low_accuracy and "low_accuracy" not in codes:
        warnings.append(LOW_ACCURACY)
    return warnings


async def _copy_segments(session: SystemSession, job: Job, transcript: Transcript) -> int:
    position = 0
    for first in range(0, job.windows_planned, CHUNK):
        windows = await session.execute(
            sa.select(JobWindow.idx, JobWindow.segments)
            .where(
                JobWindow.job_id == job.id,
                JobWindow.run == job.run,
                JobWindow.idx >= first,
                JobWindow.idx < first + CHUNK,
            )
            .order_by(JobWindow.idx)
        )
        rows: list[dict[str, Any]] = []
        for index, segments in windows:
            for n, packed in enumerate(segments or []):
                rows.append(
                    {
                        **packed,
                        "transcript_id": transcript.id,
                        "workspace_id": job.workspace_id,
                        "position": position + len(rows),
                        "segment_id": segment_id(index, n),
                    }
                )
        if rows:
            await session.execute(sa.insert(Segment), rows)
        position += len(rows)
    return position
