"""The first stage of a job that names a link: the recording comes into the store, and the job goes on as any other."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from app.asr.types import Stage
from app.core.clock import new_id
from app.core.errors import AppError, ForbiddenError, JobError
from app.core.logging import get_logger
from app.db.session import Database
from app.fetch import Entry, Fetched, Fetcher
from app.models import HistoryKind, Job, JobStatus, MediaFile
from app.services.history import tell
from app.services.jobs import claims, minutes
from app.services.jobs.bus import EventBus
from app.services.jobs.events import append_status
from app.services.jobs.stages import enter_stage
from app.services.media.intake import Intake
from app.storage.keys import sibling_key

log = get_logger(__name__)

# What a job of a playlist's entry takes over from the one that asked for all of them.
_ASKED = (
    "workspace_id",
    "created_by",
    "language",
    "mode",
    "vad",
    "translate",
    "vocabulary",
    "prompt",
    "speakers",
    "max_speakers",
    "fresh",
    "requested_engine",
    "requested_model",
    "speaker_state",
)


@dataclass(slots=True)
class LinkDesk:
    """`parallel` recordings are fetched at a time; `enabled` False refuses new links and ends waiting ones."""

    database: Database
    bus: EventBus
    intake: Intake
    fetcher: Fetcher
    enabled: bool
    max_audio_seconds: int
    playlist_limit: int
    parallel: int
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.parallel)

    def check(self, url: str) -> str:
        """The link as it is kept. Raises `ForbiddenError` (links_disabled), `UrlNotAllowedError`."""
        if not self.enabled:
            raise ForbiddenError(
                "This server does not fetch recordings from the web. Upload the file instead.",
                code="links_disabled",
            )
        return self.fetcher.check(url)

    async def bring(self, claim: claims.Claim, job: Job) -> MediaFile:
        """The recording of the job's link, in the store and named in the job's row.

        Everything is repeated where a crash came in between; what was half there is swept. Raises FetchError,
        `LostClaimError`, `UrlNotAllowedError`, `links_disabled`.
        """
        if not self.enabled:
            raise JobError("links_disabled", "This server does not fetch recordings from the web any more.")
        async with self.database.system() as session:
            job = await enter_stage(session, claim, Stage.FETCHING)
        async with self._slots:
            folder = self.intake.store.scratch_dir() / f"{uuid4().hex}.fetch"
            folder.mkdir(mode=0o700)
            try:
                if job.expand_playlist:
                    job = await self._expand(claim, job, folder)
                got = await self._fetch(claim, job, folder)
                return await self._take_in(claim, job, got)
            finally:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _fetch(self, claim: claims.Claim, job: Job, folder: Path) -> Fetched:
        def progress(done: int, total: int | None) -> None:
            share = min(1.0, done / total) if total else 0.0
            self.bus.progress(
                claim.workspace_id,
                {
                    "job_id": str(claim.job_id),
                    "progress": round(share, 4),
                    "stage": Stage.FETCHING,
                    "eta_seconds": None,
                },
            )

        return await self.fetcher.fetch(
            job.source_url or "",
            folder,
            max_bytes=self.intake.max_bytes,
            max_audio_seconds=self.max_audio_seconds,
            on_progress=progress,
        )

    async def _take_in(self, claim: claims.Claim, job: Job, got: Fetched) -> MediaFile:
        name = f"{got.title or 'recording'}{got.path.suffix}"
        file = await self.intake.take(claim.workspace_id, job.created_by, name, got.path)
        told = {"title": got.title, "site": got.site, "page_url": got.page_url, "uploader": got.uploader}
        try:
            async with self.database.system() as session:
                job = await claims.guarded(
                    session,
                    claim,
                    {
                        "file_id": file.id,
                        "filename": file.filename,
                        "source": {**job.source, **{k: v for k, v in told.items() if v}},
                        "stage": Stage.DECODING,
                    },
                )
                await append_status(session, self.bus, job)
                await tell(
                    session,
                    job,
                    HistoryKind.RECORDING_FETCHED,
                    title=got.title or None,
                    site=got.site or None,
                )
        except BaseException:
            await self.intake.give_back(file)
            raise
        await self._keep_thumbnail(file, got.thumbnail)
        return file

    async def _keep_thumbnail(self, file: MediaFile, picture: Path | None) -> None:
        """Beside the recording. A picture is no reason for anything to fail."""
        if picture is None:
            return
        with suppress(AppError, OSError, sa.exc.SQLAlchemyError):
            key = sibling_key(file.storage_key, f"thumbnail_{picture.suffix.lstrip('.')}")
            await self.intake.store.put_file(key, picture)
            async with self.database.system() as session:
                await session.execute(
                    sa.update(MediaFile).where(MediaFile.id == file.id).values(thumbnail_key=key)
                )

    async def _expand(self, claim: claims.Claim, job: Job, folder: Path) -> Job:
        """One job an entry: the first becomes this one, the others are new, all in one transaction, so that a crash
        makes none of them twice."""
        listed = await self.fetcher.expand(job.source_url or "", folder, limit=self.playlist_limit)
        async with self.database.system() as session:
            job = await claims.guarded(
                session, claim, {**_entry(listed.entries[0], listed.title, 1), "expand_playlist": False}
            )
            now = await session.database_now()
            for position, entry in enumerate(listed.entries[1:], start=2):
                asked = {name: getattr(job, name) for name in _ASKED}
                one = Job(
                    id=new_id(),
                    **asked,
                    **_entry(entry, listed.title, position),
                    attempt=1,
                    run_after=now,
                )
                session.add(one)
                await session.flush()
                await minutes.reserve(session, one)
                await append_status(session, self.bus, one)
                await tell(session, one, HistoryKind.CREATED, source="playlist")
            await append_status(session, self.bus, job)
        return job


def _entry(entry: Entry, playlist: str | None, position: int) -> dict[str, Any]:
    source = {"title": entry.title, "playlist": playlist, "position": position}
    return {
        "source_url": entry.url,
        "filename": entry.title or entry.url[:200],
        "source": {name: value for name, value in source.items() if value},
        "status": JobStatus.PENDING if position > 1 else JobStatus.PROCESSING,
    }
