"""Makes the transcript of a full plan, exactly once, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.asr.notices import final_notices
from app.asr.types import Mode, Notice, Stage
from app.core.clock import new_id
from app.db.session import Database, SystemSession
from app.models import Job, JobWindow, Segment, Transcript
from app.services.jobs import claims
from app.services.jobs.bus import EventBus
from app.services.transcripts.codec import segment_id

CHUNK = 100  # windows read and written at a time: memory stays flat for a ten-hour file


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
        warnings = _warnings(job, await _copy_segments(session, job, transcript))
        transcript.warnings = warnings
        await session.flush()
        await claims.complete(session, bus, claim, {"transcript_id": transcript.id, "warnings": warnings})


def _warnings(job: Job, copied: _Copied) -> list[dict[str, str]]:
    notices = final_notices(
        [Notice(w["code"], w["message"]) for w in job.warnings],
        segments=copied.segments,
        mode=Mode(job.mode),
        low_accuracy=job.low_accuracy,
        speakers=copied.speakers,
    )
    return [{"code": n.code, "message": n.message} for n in notices]


@dataclass(frozen=True, slots=True)
class _Copied:
    """How many segments were written, and whether any of them names a speaker."""

    segments: int
    speakers: bool


async def _copy_segments(session: SystemSession, job: Job, transcript: Transcript) -> _Copied:
    position, speakers = 0, False
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
        speakers = speakers or any(row["speaker"] for row in rows)
    return _Copied(position, speakers)
