"""Removes bytes whose rows are gone and uploads that nobody finishes. Safe to run anywhere, at any time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import AppError
from app.core.logging import get_logger
from app.db.session import Database
from app.models import Upload, UploadState
from app.storage.base import ObjectStore

log = get_logger(__name__)

_BATCH = 100
_STALE_FILES = timedelta(hours=6)
_NO_UPLOADS = datetime(1970, 1, 2, tzinfo=UTC)


async def expire_uploads(database: Database, store: ObjectStore, *, ttl: timedelta) -> int:
    """One round: expired uploads are aborted, what aborts and deletions left behind is removed, temporary files too.

    Answers how many uploads went. For the maintenance loop.
    """
    now = utcnow()
    async with database.system() as session:
        await session.execute(
            sa.update(Upload)
            .where(Upload.state == UploadState.OPEN, Upload.expires_at < now)
            .values(state=UploadState.ABORTED)
        )
        found = await session.execute(
            sa.select(Upload.file_id)
            .where(
                sa.or_(
                    Upload.state == UploadState.DELETING,
                    sa.and_(Upload.state == UploadState.ABORTED, Upload.expires_at < now),
                )
            )
            .limit(_BATCH)
        )
        file_ids = found.scalars().all()
    for file_id in file_ids:
        await remove_bytes(database, store, file_id)
    await store.sweep(files_before=now - _STALE_FILES, uploads_before=now - 2 * ttl)
    return len(file_ids)


async def sweep_scratch(store: ObjectStore) -> int:
    """Temporary files that crashes left on this machine's disk; answers how many."""
    return await store.sweep(files_before=utcnow() - _STALE_FILES, uploads_before=_NO_UPLOADS)


async def remove_bytes(database: Database, store: ObjectStore, file_id: UUID) -> None:
    """Everything the store has of a file that is deleted or never came to be, then the row that remembered it.

    A store that is away is no error: the row stays and the next round tries again.
    """
    try:
        async with database.system(read_only=True) as session:
            upload = (
                await session.execute(sa.select(Upload).where(Upload.file_id == file_id))
            ).scalar_one_or_none()
        if upload is None or upload.state not in (UploadState.DELETING, UploadState.ABORTED):
            return
        await _drop(store, upload)
        async with database.system() as session:
            await session.execute(sa.delete(Upload).where(Upload.id == upload.id))
    except (AppError, sa.exc.SQLAlchemyError, OSError) as error:
        log.warning("bytes_not_removed", file_id=str(file_id), error=str(error))


async def drop_upload(store: ObjectStore, upload: Upload) -> None:
    """The bytes of an upload that was just aborted; what does not work now is done when it expires."""
    try:
        await _drop(store, upload)
    except (AppError, OSError) as error:
        log.warning("bytes_not_removed", file_id=str(upload.file_id), error=str(error))


async def _drop(store: ObjectStore, upload: Upload) -> None:
    if upload.storage_upload:
        await store.abort_upload(upload.storage_upload)
    await store.delete_folder(upload.storage_key)  # a complete that crashed may have sealed it


async def remove_objects(store: ObjectStore, keys: list[str]) -> None:
    """Objects that no row names any more; what does not work now goes with the rest of its file."""
    for key in keys:
        try:
            await store.delete(key)
        except (AppError, OSError) as error:
            log.warning("bytes_not_removed", key=key, error=str(error))
