"""Reads for those to whom a job was shared. Each takes the capability, and looks at its job and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from app.core.errors import NotFoundError
from app.db.session import Database, TenantSession
from app.models import Job, MediaFile
from app.services.jobs.service import JobService
from app.services.jobs.views import job_view
from app.services.media.files import Files
from app.services.media.shared_copies import SharedCopies
from app.services.transcripts.names import name_speaker
from app.services.transcripts.results import Result, read_result
from app.services.transcripts.share_grant import ShareGrant
from app.services.transcripts.shares import title_of
from app.services.transcripts.speakers import SpeakerView
from app.storage.base import ObjectStore

# What a guest learns of a job: not who made it, by which settings, from which file, nor what went wrong inside.
_SHOWN = (
    "id",
    "status",
    "stage",
    "progress",
    "eta_seconds",
    "language",
    "mode",
    "translate",
    "speaker_state",
    "low_accuracy",
    "gaps",
    "duration_ms",
    "speech_ms",
    "covered_ms",
    "created_at",
    "finished_at",
)


_EXTENSIONS = {"audio/mp4": ".m4a", "audio/mpeg": ".mp3", "audio/webm": ".webm", "audio/flac": ".flac"}


@dataclass(frozen=True, slots=True)
class SharedMedia:
    """Where to hear it, until `expires_at`."""

    url: str
    expires_at: datetime
    content_type: str


def shown_to_guests(view: dict[str, Any]) -> dict[str, Any]:
    """A job's view as events and answers carry it, without its internals."""
    return {name: view[name] for name in _SHOWN if name in view}


# A revocation ends no address that was handed out: it must end by itself soon. Players ask for the next one.
MEDIA_SECONDS = 300


class SharedReads:
    """The one place where something shared is read."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        jobs: JobService,
        files: Files,
        copies: SharedCopies,
    ) -> None:
        self._database, self._store, self._jobs, self._files = database, store, jobs, files
        self._copies = copies

    async def prepare(self, session: TenantSession, job_id: UUID) -> None:
        """Something of this job was just shared: have its recording ready for guests."""
        job = await self._jobs.get(session, job_id)
        if job.file_id is not None:
            file = await self._files.get(session, job.file_id)
            session.after_commit(lambda: self._copies.order(file))

    async def job(self, grant: ShareGrant) -> dict[str, Any]:
        """The job without its internals, under its title."""
        async with self._database.tenant(grant.workspace_id, read_only=True) as session:
            job = await self._jobs.get(session, grant.job_id)
        return shown_to_guests(job_view(job)) | {"title": title_of(job), "permission": grant.permission}

    async def text(self, grant: ShareGrant, *, partial: bool) -> tuple[str, Result]:
        """The title and the text. Raises `JobNotCompletedError`."""
        async with self._database.tenant(grant.workspace_id, read_only=True) as session:
            job = await self._jobs.get(session, grant.job_id)
            return title_of(job), await read_result(session, job, partial=partial)

    async def media(self, grant: ShareGrant, *, base_url: str, download: bool) -> SharedMedia:
        """The sound alone; to save it only where that is offered.

        Raises `MediaPendingError`, `NoSharedMediaError`, `ForbiddenError`.
        """
        if download:
            grant.require_download()
        job, file = await self._recording(grant)
        copy = await self._copies.find(file)
        stem = PurePosixPath(title_of(job).replace("/", "_")).stem or "recording"
        name = stem + _EXTENSIONS.get(copy.content_type, "")
        signed = self._store.get_url(
            copy.key,
            base_url=base_url,
            filename=name,
            content_type=copy.content_type,
            download=download,
            at_most=MEDIA_SECONDS,
        )
        return SharedMedia(signed.url, signed.expires_at, copy.content_type)

    async def peaks(self, grant: ShareGrant) -> bytes:
        """The drawing of loudness. Raises `NotFoundError` until there is one."""
        _, file = await self._recording(grant)
        async with self._database.tenant(grant.workspace_id, read_only=True) as session:
            return await self._files.peaks(session, file.id)

    async def name_speaker(self, grant: ShareGrant, speaker: str, name: str) -> SpeakerView:
        """Raises `ForbiddenError` where the grant is for reading."""
        grant.require_edit()
        async with self._database.tenant(grant.workspace_id) as session:
            return await name_speaker(session, grant.job_id, speaker, name)

    async def _recording(self, grant: ShareGrant) -> tuple[Job, MediaFile]:
        async with self._database.tenant(grant.workspace_id, read_only=True) as session:
            job = await self._jobs.get(session, grant.job_id)
            if job.file_id is None:
                raise NotFoundError
            return job, await self._files.get(session, job.file_id)
