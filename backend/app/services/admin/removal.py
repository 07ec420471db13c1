"""Removes what deleted workspaces leave: first the bytes, then the rows, which remember them until then."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from app.core.errors import AppError
from app.core.logging import get_logger
from app.db.session import Database
from app.models import Job, JobStatus, Workspace
from app.storage.base import ObjectStore
from app.storage.keys import workspace_folder

log = get_logger(__name__)


class WorkspaceRemoval:
    """Works through workspaces that are marked as deleted. Safe to repeat, in every process at once."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def run_once(self) -> int:
        """Answers how many went; what does not work now is tried again the next time."""
        async with self._database.system(read_only=True) as session:
            found = await session.execute(
                sa.select(Workspace.id).where(Workspace.deleted_at.is_not(None)).limit(20)
            )
            workspaces = found.scalars().all()
        removed = 0
        for workspace_id in workspaces:
            try:
                await self._remove(workspace_id)
                removed += 1
            except (AppError, OSError, sa.exc.SQLAlchemyError) as error:
                log.warning("workspace_not_removed", workspace_id=str(workspace_id), error=str(error)[:200])
        return removed

    async def _remove(self, workspace_id: UUID) -> None:
        await self._stop_jobs(workspace_id)
        await self._store.delete_tree(workspace_folder(workspace_id))
        async with self._database.system() as session:
            await session.execute(sa.delete(Workspace).where(Workspace.id == workspace_id))
        await self._store.delete_tree(workspace_folder(workspace_id))  # what a job wrote in between
        log.info("workspace_removed", workspace_id=str(workspace_id))

    async def _stop_jobs(self, workspace_id: UUID) -> None:
        """Their claims are void from now on: workers notice at their next write."""
        async with self._database.system() as session:
            await session.execute(
                sa.update(Job)
                .where(
                    Job.workspace_id == workspace_id,
                    Job.status.in_((JobStatus.PENDING, JobStatus.PROCESSING)),
                )
                .values(status=JobStatus.CANCELLED, fence=Job.fence + 1, lease_owner=None)
            )
