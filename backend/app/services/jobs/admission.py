"""What a job has to wait for besides an engine: room on the disk, the store, its workspace's other jobs."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import sqlalchemy as sa

from app.core.errors import AppError, UnavailableError
from app.db.session import TenantSession
from app.models import FINAL, Job, Workspace
from app.storage.base import ObjectStore, StorageFullError

STORAGE_FULL = "storage_full"
STORAGE_AWAY = "storage_unavailable"
PARALLEL_LIMIT = "parallel_limit"
OF_STORAGE = (STORAGE_FULL, STORAGE_AWAY)

MIN_FREE_BYTES = (
    256 << 20
)  # for rows, windows and scratch files of the jobs that run; uploads stop long before


class Room:
    """Whether jobs find room: `folder` is where this process writes."""

    def __init__(self, store: ObjectStore, folder: Path, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        self._store = store
        self._folder = folder
        self._min_free = min_free_bytes

    async def is_full(self) -> bool:
        """A look at the disk alone: cheap enough for each job."""
        try:
            return (await asyncio.to_thread(shutil.disk_usage, self._folder)).free < self._min_free
        except OSError:
            return False  # what is wrong with it is found, and named, by whoever reads or writes there

    async def reason(self) -> str | None:
        """What is in the way, the store tried out; None where jobs may go on."""
        if await self.is_full():
            return STORAGE_FULL
        try:
            await self._store.check()
        except AppError as error:
            return storage_reason(error) or STORAGE_AWAY
        return None


def storage_reason(error: BaseException) -> str | None:
    """What a job that ended with this waits for; None where it has nothing to do with the store."""
    if isinstance(error, StorageFullError):
        return STORAGE_FULL
    return STORAGE_AWAY if isinstance(error, UnavailableError) else None


async def wait_of_new(session: TenantSession) -> str | None:
    """Why a job that is made or begun again now waits from the first moment; None where it may well begin at once."""
    workspace = await session.get_one(Workspace, session.workspace_id)
    limit = workspace.quota_parallel_jobs
    if limit is None:
        return None
    unfinished = sa.select(Job.id).where(Job.workspace_id == session.workspace_id, Job.status.not_in(FINAL))
    before = await session.execute(unfinished.limit(limit))
    return PARALLEL_LIMIT if len(before.all()) >= limit else None
