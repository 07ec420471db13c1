"""Removes what deleted workspaces leave: running work first, then rows and bytes, and last the row that remembers them.

Every step may be repeated. After a crash `Workspace.deleted_at` is still there and the next round goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from app.asr.engines.assemblyai import ENGINE
from app.core.clock import utcnow
from app.core.errors import AppError
from app.core.logging import get_logger
from app.db.session import Database
from app.models import (
    CallState,
    ExternalCall,
    IdempotencyKey,
    Invitation,
    Job,
    MediaFile,
    Membership,
    OutboxEvent,
    Upload,
    UploadState,
    WebhookEndpoint,
    Workspace,
)
from app.storage.base import ObjectStore
from app.storage.keys import workspace_folder

log = get_logger(__name__)

_BATCH = 100  # rows a transaction: nobody else's writes wait for a workspace of a million jobs
_CALLS_COUNT_FOR = timedelta(days=2)


class WorkspaceRemoval:
    """Works through workspaces that are marked as deleted. Safe to repeat, in every process at once.

    `interrupt` tells the executor of this process to stop a job now; others notice that their claim is void at their
    next write or heartbeat.
    """

    def __init__(self, database: Database, store: ObjectStore, *, interrupt: Callable[[UUID], None]) -> None:
        self._database = database
        self._store = store
        self._interrupt = interrupt

    async def run_once(self) -> int:
        """Answers how many are empty now; what does not work now is tried again the next time."""
        async with self._database.system(read_only=True) as session:
            found = await session.execute(sa.select(Workspace.id).where(Workspace.deleted_at.is_not(None)))
            workspaces = found.scalars().all()
        emptied = 0
        for workspace_id in workspaces:
            try:
                await self._empty(workspace_id)
                await self._forget(workspace_id)
                emptied += 1
            except (AppError, OSError, sa.exc.SQLAlchemyError) as error:
                log.warning("workspace_not_removed", workspace_id=str(workspace_id), error=str(error)[:200])
        return emptied

    async def _empty(self, workspace_id: UUID) -> None:
        for table in (Job, MediaFile, Upload):
            # Rows of uploads name what the store still takes; work has stopped by now, even if the store is away.
            if table is Upload:
                await self._abort_uploads(workspace_id)
            while ids := await self._delete_some(workspace_id, table):
                for row_id in ids if table is Job else ():
                    self._interrupt(row_id)
        await self._store.delete_tree(workspace_folder(workspace_id))
        async with self._database.system() as session:
            for other in (Membership, Invitation, IdempotencyKey, WebhookEndpoint, OutboxEvent):
                await session.execute(sa.delete(other).where(other.workspace_id == workspace_id))
            await session.execute(
                sa.update(Workspace)
                .where(Workspace.id == workspace_id)
                .values(name="", prompt="", vocabulary=[])
            )

    async def _abort_uploads(self, workspace_id: UUID) -> None:
        """Addresses that were signed for them take nothing any more, long before their signatures end."""
        is_open = sa.and_(Upload.workspace_id == workspace_id, Upload.state == UploadState.OPEN)
        async with self._database.system(read_only=True) as session:
            found = (await session.scalars(sa.select(Upload.storage_upload).where(is_open))).all()
        for upload in found:
            if upload is not None:
                await self._store.abort_upload(upload)

    async def _delete_some(self, workspace_id: UUID, table: type[Job | MediaFile | Upload]) -> list[UUID]:
        """A job goes with its text, windows and events (its foreign keys), and so does the claim of its worker."""
        some = sa.select(table.id).where(table.workspace_id == workspace_id).limit(_BATCH)
        async with self._database.system() as session:
            gone = await session.execute(
                sa.delete(table)
                .where(table.id.in_(some))
                .returning(table.id)
                .execution_options(synchronize_session=False)
            )
            return list(gone.scalars())

    async def _forget(self, workspace_id: UUID) -> None:
        """The row itself goes once nothing has to be remembered: what a provider still has to delete, and the calls of
        the day, which the instance's limit counts whoever made them."""
        unfinished = sa.exists().where(
            ExternalCall.workspace_id == workspace_id,
            sa.or_(
                ExternalCall.created_at > utcnow() - _CALLS_COUNT_FOR,
                sa.and_(
                    ExternalCall.engine == ENGINE,
                    ExternalCall.state != CallState.CLEANED,
                    sa.or_(ExternalCall.provider_id.is_not(None), ExternalCall.upload_url.is_not(None)),
                ),
            ),
        )
        async with self._database.system() as session:
            gone = await session.execute(
                sa.delete(Workspace).where(Workspace.id == workspace_id, ~unfinished).returning(Workspace.id)
            )
            if gone.one_or_none() is None:
                return
        await self._store.delete_tree(workspace_folder(workspace_id))  # what a job wrote in between
        log.info("workspace_removed", workspace_id=str(workspace_id))
