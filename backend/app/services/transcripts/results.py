"""Reads a job's text: the finished transcript, or what is committed so far."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.core.errors import AppError
from app.db.session import TenantSession
from app.models import Job, JobStatus, JobWindow, Segment, Transcript
from app.services.transcripts.codec import segment_id, segment_view


class JobNotCompletedError(AppError):
    """The whole text is not there yet."""

    status, code = 409, "job_not_completed"


async def read_result(session: TenantSession, job: Job, *, partial: bool) -> dict[str, Any]:
    """The result of docs/api.md. `partial` shows what is there in any state; without it a job that is not completed
    raises `JobNotCompletedError`."""
    if job.status == JobStatus.COMPLETED and job.transcript_id is not None:
        transcript = await session.get_one(Transcript, job.transcript_id)
        return _result(job, await _finished(session, transcript), transcript=transcript)
    if not partial:
        raise JobNotCompletedError(
            f"This job is {job.status}; its text is whole once it is completed. Ask with partial=true for what is there."
        )
    return _result(job, await _so_far(session, job), transcript=None)


async def _finished(session: TenantSession, transcript: Transcript) -> list[dict[str, Any]]:
    rows = await session.execute(
        sa.select(
            Segment.segment_id,
            Segment.start_ms,
            Segment.end_ms,
            Segment.text,
            Segment.speaker,
            Segment.confidence,
            Segment.flags,
            Segment.words,
        )
        .where(Segment.transcript_id == transcript.id, Segment.workspace_id == session.workspace_id)
        .order_by(Segment.position)
    )
    return [segment_view(row["segment_id"], dict(row)) for row in rows.mappings()]


async def _so_far(session: TenantSession, job: Job) -> list[dict[str, Any]]:
    rows = await session.execute(
        sa.select(JobWindow.idx, JobWindow.segments)
        .where(
            JobWindow.job_id == job.id,
            JobWindow.workspace_id == session.workspace_id,
            JobWindow.run == job.run,
            JobWindow.committed_at.is_not(None),
        )
        .order_by(JobWindow.idx)
    )
    return [
        segment_view(segment_id(index, n), packed)
        for index, segments in rows
        for n, packed in enumerate(segments or [])
    ]


def _result(job: Job, segments: list[dict[str, Any]], *, transcript: Transcript | None) -> dict[str, Any]:
    source = transcript or job
    language = transcript.language if transcript is not None else job.detected_language
    return {
        "job_id": str(job.id),
        "complete": transcript is not None,
        "language": language,
        "duration_ms": source.duration_ms,
        "engine": source.engine,
        "model": source.model,
        "low_accuracy": source.low_accuracy,
        "text": " ".join(segment["text"] for segment in segments),
        "warnings": source.warnings,
        "segments": segments,
    }
