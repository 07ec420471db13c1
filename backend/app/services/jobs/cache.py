"""The text of the same bytes with the same options, of the same workspace, given at once."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.asr.types import Mode
from app.core.clock import new_id, utcnow
from app.core.logging import get_logger
from app.db.session import Database, SystemSession
from app.models import Job, JobStatus, JobWindow, MediaFile, Segment, SpeakerState, Transcript
from app.services.jobs import claims
from app.services.jobs.bus import EventBus
from app.services.media.peaks import copy_peaks
from app.storage.base import ObjectStore

log = get_logger(__name__)

_LOOKED_AT = 10  # the newest transcripts of the same recording and options
# What a transcript says; a job shows the first of it, too.
_SHARED = ("duration_ms", "engine", "model", "low_accuracy", "speech_ms", "covered_ms", "gaps", "warnings")
_OWN = ("language", "fingerprint", "media_sha256")


@dataclass(frozen=True, slots=True)
class ResultCache:
    """Transcripts are their own cache: each carries the hash of its recording and the fingerprint of its run."""

    database: Database
    bus: EventBus
    store: ObjectStore

    async def complete(self, claim: claims.Claim, job: Job, file: MediaFile, source: Path) -> bool:
        """Completes a job that has not begun with a copy of a stored text; False where there is none that fits.

        Only whole texts fit: no gaps, nothing given up, for a dialogue the same numbers of speakers, told apart. The
        copy stands on its own: deleting the other job does not touch it, and it can be repaired like any other.
        Raises `LostClaimError`.
        """
        if job.fresh or job.windows_planned or job.plan_fingerprint is None:
            return False
        sha256 = file.sha256 or await self._hash(file.id, source)
        async with self.database.system(read_only=True) as session:
            found = await _find(session, claim, job, sha256)
            if found is None:
                return False
            like = await session.get_one(MediaFile, found.job.file_id)
        peaks = file.peaks_key or await copy_peaks(self.store, like.peaks_key, file.storage_key)
        async with self.database.system() as session:
            job = await claims.guarded(session, claim, {})
            found = await _find(session, claim, job, sha256, lock=True)
            if found is None:
                return False  # deleted or begun again meanwhile
            await _describe(session, file.id, like, peaks)
            await _copy(session, self.bus, claim, job, found)
        log.info("result_from_cache", cached_from=str(found.job.id))
        return True

    async def _hash(self, file_id: UUID, source: Path) -> str:
        """The recording's SHA-256, kept for the next time."""
        sha256 = await asyncio.to_thread(_sha256, source)
        async with self.database.system() as session:
            await session.execute(
                sa.update(MediaFile)
                .where(MediaFile.id == file_id, MediaFile.sha256.is_(None))
                .values(sha256=sha256)
            )
        return sha256


@dataclass(frozen=True, slots=True)
class _Found:
    """A transcript that fits, and the completed job whose newest one it is."""

    transcript: Transcript
    job: Job


async def _find(
    session: SystemSession, claim: claims.Claim, job: Job, sha256: str, *, lock: bool = False
) -> _Found | None:
    statement = (
        sa.select(Transcript, Job)
        .join(Job, Job.transcript_id == Transcript.id)
        .where(
            Transcript.workspace_id == claim.workspace_id,
            Transcript.media_sha256 == sha256,
            Transcript.fingerprint == job.plan_fingerprint,
            Job.workspace_id == claim.workspace_id,
            Job.status == JobStatus.COMPLETED,
            Job.file_id.is_not(None),  # its recording may have gone by now, and what decoding told of it
            Job.id != claim.job_id,
        )
        .order_by(Transcript.created_at.desc())
        .limit(_LOOKED_AT)
        .options(sa.orm.undefer(Job.speaker_turns))
    )
    if lock:  # nobody deletes it or begins it again while it is copied
        statement = statement.with_for_update(read=True, of=Job)
    for transcript, other in await session.execute(statement):
        if _fits(job, transcript, other):
            return _Found(transcript, other)
    return None


def _fits(job: Job, transcript: Transcript, other: Job) -> bool:
    if transcript.gaps or any(warning["code"] == "gaps" for warning in transcript.warnings):
        return False
    if job.mode != Mode.DIALOGUE:
        return True
    asked = (job.speakers, job.max_speakers)
    return other.speaker_state == SpeakerState.DONE and asked == (other.speakers, other.max_speakers)


async def _describe(session: SystemSession, file_id: UUID, like: MediaFile, peaks: str | None) -> None:
    """What decoding would have told of the recording."""
    await session.execute(
        sa.update(MediaFile)
        .where(MediaFile.id == file_id)
        .values(
            duration_ms=like.duration_ms,
            channels=like.channels,
            channel_layout=like.channel_layout,
            peaks_key=sa.func.coalesce(MediaFile.peaks_key, peaks),
        )
    )


async def _copy(session: SystemSession, bus: EventBus, claim: claims.Claim, job: Job, found: _Found) -> None:
    now = utcnow()
    transcript = Transcript(
        id=new_id(),
        job_id=job.id,
        workspace_id=job.workspace_id,
        run=job.run,
        created_at=now,
        **{name: getattr(found.transcript, name) for name in (*_SHARED, *_OWN)},
    )
    session.add(transcript)
    await session.flush()
    await _copy_rows(
        session, Segment, Segment.transcript_id == found.transcript.id, {"transcript_id": transcript.id}
    )
    windows = sa.and_(JobWindow.job_id == found.job.id, JobWindow.run == found.transcript.run)
    changes = {"job_id": job.id, "run": job.run, "executions": 0, "reruns": 0, "fence": claim.fence}
    await _copy_rows(session, JobWindow, windows, changes | {"committed_at": now})
    count = (
        await session.execute(
            sa.select(sa.func.count()).where(JobWindow.job_id == job.id, JobWindow.run == job.run)
        )
    ).scalar_one()
    await claims.guarded(
        session,
        claim,
        {name: getattr(found.transcript, name) for name in _SHARED}
        | {
            "detected_language": found.job.detected_language,
            "plan_complete": True,
            "windows_planned": count,
            "windows_committed": count,
            "speaker_state": found.job.speaker_state,
            "speaker_reason": found.job.speaker_reason,
            "speaker_turns": found.job.speaker_turns,
            "cached_from": found.job.id,
        },
    )
    await claims.complete(session, bus, claim, {"transcript_id": transcript.id})


async def _copy_rows(
    session: SystemSession,
    table: type[Segment | JobWindow],
    which: sa.ColumnElement[bool],
    changes: dict[str, Any],
) -> None:
    """Copies rows inside the database, however many there are, with other values in some columns."""
    columns = list(table.__table__.columns)
    values = [
        sa.literal(changes[column.key], column.type) if column.key in changes else column
        for column in columns
    ]
    await session.execute(
        sa.insert(table).from_select([column.key for column in columns], sa.select(*values).where(which))
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
