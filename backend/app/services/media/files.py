"""Recordings that are whole: read, listed, handed out, deleted."""

from __future__ import annotations

from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import ConflictError, NotFoundError
from app.core.pagination import Cursor
from app.db.session import TenantSession
from app.models import Job, MediaFile, RenditionState, Upload, UploadState
from app.services import audit
from app.services.media.intake import Intake
from app.services.media.janitor import remove_bytes
from app.services.media.peaks import read_peaks

# By the ending of the key; the bytes were looked at when the picture was stored.
_PICTURES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class FileUrl:
    """Where to play or save a file, until `expires_at`."""

    url: str
    expires_at: datetime
    content_type: str
    rendition: str


class Files:
    """The workspace's recordings."""

    def __init__(self, intake: Intake) -> None:
        self._intake, self._store = intake, intake.store

    async def store_stream(
        self,
        *,
        workspace_id: UUID,
        user_id: UUID | None,
        filename: str,
        content_type: str | None,
        chunks: AsyncIterable[bytes],
    ) -> MediaFile:
        """A whole file from a request's body, committed when this returns. Takes no session: it may last for hours.

        Raises `FileTooLargeError` at the first byte over the limit, `FileEmptyError`; both leave nothing behind.
        """
        return await self._intake.stream(workspace_id, user_id, filename, content_type, chunks)

    async def get(self, session: TenantSession, file_id: UUID) -> MediaFile:
        """Raises `NotFoundError`, for another tenant's file too."""
        file = (
            await session.execute(sa.select(MediaFile).where(MediaFile.id == file_id))
        ).scalar_one_or_none()
        if file is None:
            raise NotFoundError
        return file

    async def list(
        self, session: TenantSession, *, limit: int, cursor: Cursor | None
    ) -> tuple[list[MediaFile], Cursor | None]:
        """A page, newest first, and where the next one begins."""
        query = sa.select(MediaFile).where(MediaFile.workspace_id == session.workspace_id)
        if cursor is not None:
            place = sa.tuple_(MediaFile.created_at, MediaFile.id)
            query = query.where(
                place < sa.tuple_(sa.literal(cursor.created_at, MediaFile.created_at.type), cursor.id)
            )
        query = query.order_by(MediaFile.created_at.desc(), MediaFile.id.desc()).limit(limit + 1)
        files = [*(await session.execute(query)).scalars()]
        if len(files) <= limit:
            return files, None
        last = files[limit - 1]
        return files[:limit], Cursor(last.created_at, last.id)

    async def url(
        self,
        session: TenantSession,
        file_id: UUID,
        *,
        base_url: str,
        original: bool = False,
        download: bool = False,
    ) -> FileUrl:
        """The version that browsers can play where there is one; `original` for the bytes as uploaded."""
        file = await self.get(session, file_id)
        key, content_type, name = file.storage_key, file.content_type, file.filename
        if file.rendition_state == RenditionState.READY and file.rendition_key and not original:
            key, content_type = file.rendition_key, file.rendition_content_type or ""
        signed = self._store.get_url(
            key, base_url=base_url, filename=name, content_type=content_type, download=download
        )
        return FileUrl(signed.url, signed.expires_at, content_type, file.rendition_state)

    async def peaks(self, session: TenantSession, file_id: UUID) -> bytes:
        """The drawing of its loudness as JSON, in audiowaveform's format. Raises `NotFoundError` until a job has read
        the file."""
        file = await self.get(session, file_id)
        if file.peaks_key is None:
            raise NotFoundError
        return await read_peaks(self._store, file.peaks_key)

    async def thumbnail(self, session: TenantSession, file_id: UUID) -> tuple[bytes, str]:
        """The picture of the page that a recording was fetched from, and its type. Raises `NotFoundError` where there
        is none."""
        file = await self.get(session, file_id)
        if file.thumbnail_key is None:
            raise NotFoundError
        picture = b"".join([block async for block in self._store.read(file.thumbnail_key)])
        return picture, _PICTURES[file.thumbnail_key.rpartition("_")[2]]

    async def delete(self, session: TenantSession, file_id: UUID) -> None:
        """Raises `ConflictError` while a job uses the file."""
        await self.get(session, file_id)
        if not await self.delete_if_unused(session, file_id):
            raise ConflictError("A transcription uses this file. Delete the transcription first.")
        audit.record(session, "file.deleted", workspace_id=session.workspace_id, target=("file", file_id))

    async def delete_if_unused(self, session: TenantSession, file_id: UUID) -> bool:
        """The row now, the bytes after the commit; False where a job uses the file or it is gone already.

        A job that is created at the same moment holds the row by its foreign key: then the file stays. The upload's
        row stays behind as the reminder that bytes have to go, so that a crash cannot leave them.
        """
        used = sa.exists().where(Job.file_id == file_id)
        try:
            async with session.begin_nested():
                gone = await session.execute(
                    sa.delete(MediaFile)
                    .where(MediaFile.id == file_id, ~used)
                    .returning(MediaFile.storage_key, MediaFile.filename)
                    .execution_options(synchronize_session=False)
                )
        except sa.exc.IntegrityError:
            return False
        row = gone.one_or_none()
        if row is None:
            return False
        await self._leave_tombstone(session, file_id, row.storage_key, row.filename)
        database, store = self._intake.database, self._store
        session.after_commit(lambda: remove_bytes(database, store, file_id))
        return True

    async def _leave_tombstone(
        self, session: TenantSession, file_id: UUID, storage_key: str, filename: str
    ) -> None:
        marked = await session.execute(
            sa.update(Upload)
            .where(Upload.file_id == file_id)
            .values(state=UploadState.DELETING)
            .returning(Upload.id)
            .execution_options(synchronize_session=False)
        )
        if marked.one_or_none() is None:
            session.add(
                Upload(
                    workspace_id=session.workspace_id,
                    file_id=file_id,
                    filename=filename,
                    size=0,
                    content_type="",
                    method="",
                    storage_key=storage_key,
                    state=UploadState.DELETING,
                    expires_at=utcnow(),
                )
            )
