"""Reads a job's text: the finished transcript, or what is committed so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.core.errors import AppError
from app.db.session import TenantSession
from app.models import FINAL, Job, JobStatus, JobWindow, Segment, Transcript
from app.services.transcripts.codec import segment_view
from app.services.transcripts.names import speaker_names
from app.services.transcripts.render import FORMATS
from app.services.transcripts.speakers import speaker_list
from app.services.transcripts.stream import TimeOrder


class JobNotCompletedError(AppError):
    """The whole text is not there yet."""

    status, code = 409, "job_not_completed"


@dataclass(frozen=True, slots=True)
class Result:
    """A job's text as it was read. `view` unfolds it, which takes a second for ten hours: call it in a thread."""

    head: dict[str, Any]
    segments: Sequence[tuple[str, dict[str, Any]]]  # id and packed form, in order
    names: Mapping[str, str]  # of speakers, by id

    def view(self) -> dict[str, Any]:
        """The result of docs/api.md."""
        segments = [segment_view(identifier, packed) for identifier, packed in self.segments]
        text = " ".join(segment["text"] for segment in segments)
        speakers = speaker_list((segment["speaker"] for segment in segments), self.names)
        return {**self.head, "speakers": speakers, "text": text, "segments": segments}

    def render(self, format: str) -> bytes:  # noqa: A002 (the contract's name)
        """The text in one of `FORMATS`, UTF-8."""
        return FORMATS[format].render(self.view()).encode()


async def read_result(session: TenantSession, job: Job, *, partial: bool) -> Result:
    """The text of a job.

    A job that ended without completing, but was completed in an earlier run, still has that run's transcript.
    `partial` shows what is there in any state: the windows of this run, or before the first of them and while a part
    of the text is repaired, the earlier transcript, marked `previous`. Raises `JobNotCompletedError` where there is
    no whole text.
    """
    names = await speaker_names(session, job.id)
    transcript = None if job.transcript_id is None else await session.get_one(Transcript, job.transcript_id)
    if transcript is not None and job.status in FINAL:
        return Result(_head(job, transcript, complete=True), await _finished(session, transcript), names)
    if not partial:
        raise JobNotCompletedError(
            f"This job is {job.status}; its text is whole once it is completed. "
            "Ask with partial=true for what is there."
        )
    if transcript is not None and (
        job.windows_committed == 0 or await _carries_over(session, job, transcript)
    ):
        return Result(_head(job, transcript, complete=False), await _finished(session, transcript), names)
    return Result(_head(job, None, complete=False), await _so_far(session, job), names)


async def _carries_over(session: TenantSession, job: Job, transcript: Transcript) -> bool:
    """Whether this run does only a part of the earlier one again, whose windows it has taken over."""
    earlier = sa.select(JobWindow.idx).where(
        JobWindow.job_id == job.id,
        JobWindow.run == job.run,
        JobWindow.committed_at <= transcript.created_at,
    )
    return (await session.execute(earlier.limit(1))).first() is not None


async def _finished(session: TenantSession, transcript: Transcript) -> list[tuple[str, dict[str, Any]]]:
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
    return [(row["segment_id"], dict(row)) for row in rows.mappings()]


async def _so_far(session: TenantSession, job: Job) -> list[tuple[str, dict[str, Any]]]:
    rows = await session.execute(
        sa.select(JobWindow.idx, JobWindow.start_ms, JobWindow.segments)
        .where(
            JobWindow.job_id == job.id,
            JobWindow.workspace_id == session.workspace_id,
            JobWindow.run == job.run,
            JobWindow.committed_at.is_not(None),
        )
        .order_by(JobWindow.start_ms, JobWindow.idx)
    )
    order = TimeOrder()
    ready = [item for index, start, segments in rows for item in order.push(index, start, segments or [])]
    return [*ready, *order.rest()]


def _head(job: Job, transcript: Transcript | None, *, complete: bool) -> dict[str, Any]:
    source = transcript or job
    return {
        "job_id": str(job.id),
        "complete": complete,
        "previous": transcript is not None and (not complete or job.status != JobStatus.COMPLETED),
        "language": transcript.language if transcript is not None else job.detected_language,
        "duration_ms": source.duration_ms,
        "speech_ms": source.speech_ms,
        "covered_ms": source.covered_ms,
        "gaps": [{"start_ms": start, "end_ms": end} for start, end in source.gaps],
        "speakers": [],
        "engine": source.engine,
        "model": source.model,
        "low_accuracy": source.low_accuracy,
        "warnings": source.warnings,
    }
