"""The stage that tells speakers apart: after all words are there, never at their cost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from app.asr import diarization
from app.asr.diarization import Availability, Embedder, Turn
from app.asr.limits import MediaLimits
from app.asr.types import Mode, Stage
from app.core.errors import JobError
from app.core.logging import get_logger
from app.db.session import Database, SystemSession
from app.models import Job, JobWindow, SpeakerState
from app.services.jobs import claims
from app.services.jobs.checkpoints import JobSink

log = get_logger(__name__)

BROKE = "Telling the voices apart broke on our side; it is in the server's log. Try again."
TOO_HEAVY = "The server went down again and again while the voices of this recording were told apart."
MAX_LOSSES = 2  # of the host: the text is delivered without speakers long before the job would be quarantined

Region = tuple[int, int]


class Diarizer(Protocol):
    """What tells the voices of a recording apart."""

    def look(self) -> Availability:
        """Whether it can work here; may read files."""
        ...

    async def diarize(
        self,
        source: Path,
        regions: Sequence[Region] | None,
        *,
        embedder: Embedder,
        speakers: int | None,
        max_speakers: int | None,
    ) -> list[Turn]:
        """Who speaks when; `regions` are the stretches of speech, None where they are not known. Raises JobError."""
        ...


class LocalDiarizer:
    """The model of the settings, in a child process."""

    def __init__(self, model: str, models_dir: Path, *, max_speakers: int, limits: MediaLimits) -> None:
        self._model, self._models_dir = model, models_dir
        self._max_speakers, self._limits = max_speakers, limits

    def look(self) -> Availability:
        return diarization.availability(self._model, self._models_dir)

    async def diarize(
        self,
        source: Path,
        regions: Sequence[Region] | None,
        *,
        embedder: Embedder,
        speakers: int | None,
        max_speakers: int | None,
    ) -> list[Turn]:
        return await diarization.diarize(
            source,
            regions,
            embedder=embedder,
            speakers=speakers,
            max_speakers=max_speakers or self._max_speakers,
            limits=self._limits,
        )


async def tell_apart(
    database: Database, claim: claims.Claim, sink: JobSink, diarizer: Diarizer | None, source: Path
) -> None:
    """Finds out who speaks when, where the job waits for that and its text does not say so already.

    Whatever happens to it ends in the job's `speaker_state` and `speaker_reason`; turns of an earlier run stay until
    there are new ones. Raises `LostClaimError` only.
    """
    async with database.system(read_only=True) as session:
        job = await session.get_one(Job, claim.job_id)
        if job.mode != Mode.DIALOGUE or job.speaker_state != SpeakerState.PENDING:
            return
        heard, regions = await _survey(session, job)
    if not heard or diarizer is None:
        return
    if job.host_losses >= MAX_LOSSES:
        outcome: dict[str, Any] = {"speaker_state": SpeakerState.FAILED, "speaker_reason": TOO_HEAVY}
    else:
        await sink.stage(Stage.DIARIZING)
        outcome = await _attempt(diarizer, source, regions or None, job)
    async with database.system() as session:
        await claims.guarded(session, claim, outcome)


async def _attempt(
    diarizer: Diarizer, source: Path, regions: Sequence[Region] | None, job: Job
) -> dict[str, Any]:
    """The columns that say what came of it."""
    try:
        found = await asyncio.to_thread(diarizer.look)
        if found.embedder is None:
            return {"speaker_state": SpeakerState.UNAVAILABLE, "speaker_reason": found.reason}
        turns = await diarizer.diarize(
            source,
            regions,
            embedder=found.embedder,
            speakers=job.speakers,
            max_speakers=job.max_speakers,
        )
    except JobError as error:
        log.warning("diarization_failed", reason=error.message)
        return {"speaker_state": SpeakerState.FAILED, "speaker_reason": error.message}
    except Exception as error:
        log.error("diarization_broke", exc_info=error)
        return {"speaker_state": SpeakerState.FAILED, "speaker_reason": BROKE}
    return {
        "speaker_state": SpeakerState.DONE,
        "speaker_reason": None,
        "speaker_turns": diarization.turns_to_json(turns),
    }


async def _survey(session: SystemSession, job: Job) -> tuple[bool, list[Region]]:
    """Whether there is text without speakers, and all stretches of speech in order.

    Channels and providers name speakers themselves; where they did, there is nothing left to tell apart.
    """
    rows = await session.stream(
        sa.select(JobWindow.channel, JobWindow.speech, JobWindow.segments)
        .where(JobWindow.job_id == job.id, JobWindow.run == job.run)
        .order_by(JobWindow.start_ms, JobWindow.idx)
        .execution_options(yield_per=100)
    )
    heard, regions = False, list[Region]()
    async for channel, speech, segments in rows:
        if channel is not None or any(segment["speaker"] for segment in segments or []):
            return False, []
        heard = heard or bool(segments)
        regions += [(start, end) for start, end in speech]
    return heard, regions
