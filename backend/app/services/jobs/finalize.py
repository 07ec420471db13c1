"""Makes the transcript of a full plan, exactly once, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.asr.coverage import is_doubtful, join_gaps
from app.asr.diarization import Turn, turns_from_json
from app.asr.notices import final_notices
from app.asr.types import AUTO, Mode, Notice, Stage
from app.core.clock import new_id
from app.core.errors import JobError
from app.core.failpoints import reached
from app.db.session import Database, SystemSession
from app.models import Job, JobWindow, MediaFile, Segment, SpeakerState, Transcript
from app.services.jobs import claims
from app.services.jobs.bus import EventBus
from app.services.jobs.stages import enter_stage
from app.services.transcripts.speakers import with_turns
from app.services.transcripts.stream import Packed, TimeOrder

CHUNK = 100  # windows read and written at a time: memory stays flat for a ten-hour file

NO_SPEAKERS = "The engine that made this text does not tell speakers apart."


async def finalize(database: Database, bus: EventBus, claim: claims.Claim) -> None:
    """Insert transcript and segments and complete the job.

    Raises `LostClaimError` where the claim is gone, a cancel came first or the plan is not full, JobError
    `engine_timeout` where every window was given up; then nothing is written.
    """
    async with database.system() as session:
        await enter_stage(session, claim, Stage.FINALIZING)
    async with database.system() as session:
        job = await claims.guarded(session, claim, {})
        file = await session.get_one(MediaFile, job.file_id)
        transcript = Transcript(
            id=new_id(),
            job_id=job.id,
            workspace_id=job.workspace_id,
            run=job.run,
            language=job.detected_language or (None if job.language == AUTO else job.language),
            duration_ms=job.duration_ms or 0,
            engine=job.engine or "",
            model=job.model,
            low_accuracy=job.low_accuracy,
            speech_ms=job.speech_ms,
            fingerprint=job.plan_fingerprint,
            media_sha256=file.sha256,
        )
        session.add(transcript)
        await session.flush()
        heard = await _copy(session, job, transcript)
        if heard.windows and heard.failed == heard.windows:
            raise JobError("engine_timeout", "The engine did not finish any part of this recording in time.")
        gaps = join_gaps(heard.gaps)
        state, reason = _speakers(job, heard)
        warnings = _warnings(job, heard, gaps, reason)
        facts = {
            "covered_ms": None if job.speech_ms is None else min(heard.covered_ms, job.speech_ms),
            "gaps": [list(gap) for gap in gaps],
            "warnings": warnings,
        }
        for column, value in facts.items():
            setattr(transcript, column, value)
        await session.flush()
        reached("finalize.before")
        await claims.complete(
            session,
            bus,
            claim,
            {**facts, "transcript_id": transcript.id, "speaker_state": state, "speaker_reason": reason},
        )
    reached("finalize.after")


@dataclass(slots=True)
class _Heard:
    """What all windows together have brought."""

    windows: int = 0
    failed: int = 0
    segments: int = 0
    doubtful: int = 0
    speakers: bool = False
    covered_ms: int = 0
    gaps: list[Sequence[int]] = field(default_factory=list)


def _speakers(job: Job, heard: _Heard) -> tuple[SpeakerState, str | None]:
    if job.mode != Mode.DIALOGUE:
        return SpeakerState.NONE, None
    if job.speaker_state != SpeakerState.PENDING:
        return SpeakerState(job.speaker_state), job.speaker_reason
    if heard.speakers or not heard.segments:  # channels or a provider named them, or nobody spoke
        return SpeakerState.DONE, None
    return SpeakerState.UNAVAILABLE, NO_SPEAKERS


def _warnings(
    job: Job, heard: _Heard, gaps: Sequence[tuple[int, int]], reason: str | None
) -> list[dict[str, str]]:
    notices = final_notices(
        [Notice(w["code"], w["message"]) for w in job.warnings],
        segments=heard.segments,
        doubtful=heard.doubtful,
        mode=Mode(job.mode),
        low_accuracy=job.low_accuracy,
        speakers=heard.speakers,
        gaps=gaps,
        speaker_reason=reason,
    )
    return [{"code": n.code, "message": n.message} for n in dict.fromkeys(notices)]


async def _copy(session: SystemSession, job: Job, transcript: Transcript) -> _Heard:
    """Writes the windows' segments in the order of time, a chunk of windows at a time."""
    heard, order = _Heard(), TimeOrder()
    turns = await _turns(session, job)
    rows: list[dict[str, Any]] = []

    def take(identifier: str, packed: Packed) -> None:
        rows.append(
            {
                **packed,
                "transcript_id": transcript.id,
                "workspace_id": job.workspace_id,
                "position": heard.segments,
                "segment_id": identifier,
            }
        )
        heard.segments += 1
        heard.doubtful += is_doubtful(packed["flags"])
        heard.speakers = heard.speakers or bool(packed["speaker"])

    async def write() -> None:
        if rows:
            await session.execute(sa.insert(Segment), rows)
            rows.clear()

    async for chunk in _windows(session, job):
        for window in chunk:
            heard.windows += 1
            heard.failed += window.error_code is not None
            heard.covered_ms += window.covered_ms or 0
            heard.gaps += window.gaps
            segments = with_turns(turns, window.segments or [])
            for identifier, packed in order.push(window.idx, window.start_ms, segments):
                take(identifier, packed)
        await write()
    for identifier, packed in order.rest():
        take(identifier, packed)
    await write()
    return heard


async def _turns(session: SystemSession, job: Job) -> list[Turn]:
    """Who speaks when, where that was found out; the column is not read with the job."""
    row = await session.execute(sa.select(Job.speaker_turns).where(Job.id == job.id))
    return turns_from_json(row.scalar_one() or [])


async def _windows(session: SystemSession, job: Job) -> AsyncIterator[Sequence[Any]]:
    """The windows of this run by their start, CHUNK at a time."""
    columns = (
        JobWindow.idx,
        JobWindow.start_ms,
        JobWindow.segments,
        JobWindow.covered_ms,
        JobWindow.gaps,
        JobWindow.error_code,
    )
    last = (-1, -1)
    while True:
        rows = (
            await session.execute(
                sa.select(*columns)
                .where(
                    JobWindow.job_id == job.id,
                    JobWindow.run == job.run,
                    sa.tuple_(JobWindow.start_ms, JobWindow.idx) > sa.tuple_(*map(sa.literal, last)),
                )
                .order_by(JobWindow.start_ms, JobWindow.idx)
                .limit(CHUNK)
            )
        ).all()
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        last = (rows[-1].start_ms, rows[-1].idx)
