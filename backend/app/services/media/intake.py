"""How bytes become a file: the upload row that announces them, and the one transition that seals the promise."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import new_id, utcnow
from app.core.errors import (
    AppError,
    ConflictError,
    FileEmptyError,
    FileTooLargeError,
    NotFoundError,
    QuotaExceededError,
)
from app.core.failpoints import reached
from app.db.session import Database, TenantSession
from app.models import MediaFile, RenditionState, Upload, UploadState
from app.services.identity.quotas import bytes_left, require_room_for_bytes
from app.services.media.janitor import remove_bytes
from app.services.media.names import clean_name, content_type, human_size
from app.services.media.sniff import HEAD_BYTES, plays_everywhere
from app.storage.base import ObjectStore, StoredObject
from app.storage.keys import object_key

STREAM = "stream"  # the method of an upload that comes in one request, through POST /api/transcribe


class Intake:
    """`ttl`: an upload without a sign of life for so long is dropped. `wake` tells the renditions of new work."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        *,
        max_bytes: int,
        ttl: timedelta,
        wake: Callable[[], None],
    ) -> None:
        self.database, self.store = database, store
        self.max_bytes, self.ttl, self._wake = max_bytes, ttl, wake

    def new_upload(
        self, workspace_id: UUID, user_id: UUID | None, filename: str, declared_type: str | None, *, size: int
    ) -> Upload:
        """An upload with clean names and a key of its own; the caller says by which method and adds it."""
        name, file_id, now = clean_name(filename), new_id(), utcnow()
        return Upload(
            id=new_id(),
            workspace_id=workspace_id,
            file_id=file_id,
            created_by=user_id,
            filename=name,
            size=size,
            content_type=content_type(declared_type, name),
            storage_key=object_key(workspace_id, file_id, "original"),
            state=UploadState.OPEN,
            created_at=now,
            expires_at=now + self.ttl,
        )

    async def stream(
        self,
        workspace_id: UUID,
        user_id: UUID | None,
        filename: str,
        declared_type: str | None,
        chunks: AsyncIterable[bytes],
    ) -> MediaFile:
        """A whole file at once. No transaction is open while it streams; its row comes after the bytes are sealed.

        The upload's row goes ahead, so that bytes which a crash leaves behind belong to something that expires.
        """
        upload = self.new_upload(workspace_id, user_id, filename, declared_type, size=0)
        upload.method = STREAM
        async with self.database.tenant(workspace_id) as session:
            await require_room_for_bytes(session, 1)
            left = await bytes_left(session)
            session.add(upload)
        limit = self.max_bytes if left is None else min(left, self.max_bytes)
        try:
            stored = await self.store.write(upload.storage_key, chunks, limit=limit)
        except Exception as error:
            async with self.database.tenant(workspace_id) as session:
                await session.execute(sa.delete(Upload).where(Upload.id == upload.id))
            if isinstance(error, FileTooLargeError):
                raise (self.too_large("file") if limit == self.max_bytes else over_quota(limit)) from error
            raise
        return await self.finish(workspace_id, upload.id, stored)

    async def take(self, workspace_id: UUID, user_id: UUID | None, filename: str, path: Path) -> MediaFile:
        """A file on this machine's disk, moved in. Raises `QuotaExceededError`, `FileEmptyError`."""
        size = path.stat().st_size
        if not size:
            raise FileEmptyError("The file is empty.")
        upload = self.new_upload(workspace_id, user_id, filename, None, size=size)
        upload.method = STREAM
        async with self.database.tenant(workspace_id) as session:
            await require_room_for_bytes(session, size)
            session.add(upload)
        stored = await self.store.put_file(upload.storage_key, path)
        return await self.finish(workspace_id, upload.id, stored)

    async def give_back(self, file: MediaFile) -> None:
        """A file that nobody wants after all: its bytes go now, or when the janitor comes by."""
        async with self.database.tenant(file.workspace_id) as session:
            await session.execute(
                sa.update(Upload)
                .where(Upload.file_id == file.id)
                .values(state=UploadState.DELETING)
                .execution_options(synchronize_session=False)
            )
            await session.execute(sa.delete(MediaFile).where(MediaFile.id == file.id))
        await remove_bytes(self.database, self.store, file.id)

    async def finish(self, workspace_id: UUID, upload_id: UUID, stored: StoredObject) -> MediaFile:
        """From OPEN to COMPLETED, once, with the file's row in the same transaction.

        The row lock decides between two calls: the later one finds the file. An abort or an expiry that came first
        has the sealed bytes removed here, one that comes later is refused. Raises `ConflictError`.
        """
        reached("seal.between")
        plays = await self._plays_everywhere(stored.key)
        async with self.database.tenant(workspace_id) as session:
            upload = await get_upload(session, upload_id, lock=True)
            if upload.state == UploadState.COMPLETED:
                return await file_of(session, upload)
            if upload.state == UploadState.OPEN and plays is not None:
                refusal = await self._no_room(session, upload, stored.size)
                if refusal is None:
                    return self._add_file(session, upload, stored, plays)
                upload.state, upload.expires_at = UploadState.ABORTED, utcnow()
            else:
                refusal = over()
        await self.store.delete(stored.key)
        raise refusal

    async def _no_room(self, session: TenantSession, upload: Upload, size: int) -> AppError | None:
        """Of several recordings that streamed in side by side, those that came last may be over the quota: nobody
        knew their length before. What was announced has its room already."""
        if upload.method != STREAM:
            return None
        try:
            await require_room_for_bytes(session, size)
        except QuotaExceededError as error:
            return error
        return None

    def _add_file(
        self, session: TenantSession, upload: Upload, stored: StoredObject, plays: bool
    ) -> MediaFile:
        upload.state, upload.size = UploadState.COMPLETED, stored.size
        file = MediaFile(
            id=upload.file_id,
            workspace_id=upload.workspace_id,
            created_by=upload.created_by,
            filename=upload.filename,
            size=stored.size,
            content_type=upload.content_type,
            storage_key=upload.storage_key,
            sha256=stored.sha256,
            rendition_state=RenditionState.NONE if plays else RenditionState.PENDING,
            rendition_attempts=0,
            created_at=utcnow(),
        )
        session.add(file)
        session.after_commit(lambda: reached("seal.after"))
        if not plays:
            session.after_commit(self._wake)
        return file

    async def _plays_everywhere(self, key: str) -> bool | None:
        """None where an abort has removed the bytes meanwhile."""
        try:
            head = b"".join([block async for block in self.store.read(key, 0, HEAD_BYTES)])
        except NotFoundError:
            return None
        return plays_everywhere(head)

    def too_large(self, field: str) -> FileTooLargeError:
        return FileTooLargeError(
            f"The file is larger than {human_size(self.max_bytes)}, the limit of this server.", field=field
        )


async def get_upload(session: TenantSession, upload_id: UUID, *, lock: bool = False) -> Upload:
    """Raises `NotFoundError`, also where the upload's file was deleted."""
    query = sa.select(Upload).where(Upload.id == upload_id)
    upload = (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    if upload is None or upload.state == UploadState.DELETING:
        raise NotFoundError
    return upload


async def file_of(session: TenantSession, upload: Upload) -> MediaFile:
    """The file that a completed upload became."""
    file = await session.get(MediaFile, upload.file_id)
    if file is None:
        raise NotFoundError
    return file


def over_quota(left: int) -> QuotaExceededError:
    return QuotaExceededError(
        f"This workspace may store {left} bytes more, and the recording is larger. Delete recordings you no longer "
        "need, or ask an administrator of this server for more.",
        field="storage_bytes",
    )


def over() -> ConflictError:
    return ConflictError("This upload was cancelled or has expired. Start it again.")
