"""Cancels, retries or deletes many jobs, each for itself, and says of each what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa

from app.core.errors import AppError, InvalidStateError, NotFoundError, UnavailableError
from app.core.logging import get_logger
from app.core.pagination import Cursor
from app.db.away import DatabaseFullError, is_full
from app.db.session import Database, TenantSession
from app.models import Job, JobStatus
from app.services.jobs.pages import JobFilter, page_of
from app.services.jobs.service import JobService
from app.services.media.files import Files

log = get_logger(__name__)

_AWAY = UnavailableError("The database does not answer. Nothing was changed here; try again.")
_FULL = DatabaseFullError()


class BulkAction(StrEnum):
    """RETRY begins failed and cancelled jobs again and tries waiting ones at once; never a completed one, whose text
    nobody asked to replace."""

    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one job; `error` is None where it was done. Without a job of that id there is no `filename`; what
    cannot be an id stands there as it came."""

    id: UUID | str
    filename: str | None
    error: AppError | None


class BulkJobs:
    """Each job goes in a transaction of its own: one that cannot does not hold up the others, no lock is held for long,
    and what was done stays done where the rest breaks off."""

    def __init__(self, database: Database, jobs: JobService, files: Files) -> None:
        self._database = database
        self._jobs = jobs
        self._files = files
        self._acts: dict[BulkAction, Callable[[TenantSession, UUID], Awaitable[object]]] = {
            BulkAction.CANCEL: jobs.cancel,
            BulkAction.RETRY: self._retry,
            BulkAction.DELETE: self._delete,
        }

    async def on_ids(
        self, workspace_id: UUID, action: BulkAction, ids: Sequence[UUID | str]
    ) -> list[BulkResult]:
        """In the order of `ids`, each once; what is no id is not found."""
        results: list[BulkResult] = []
        broken: AppError | None = None
        for job_id in dict.fromkeys(ids):
            if isinstance(job_id, str):
                results.append(BulkResult(job_id, None, NotFoundError()))
                continue
            if broken is not None:  # the others would wait for it one after the other
                results.append(BulkResult(job_id, None, broken))
                continue
            result = await self._one(workspace_id, action, job_id)
            broken = result.error if result.error in (_AWAY, _FULL) else None
            results.append(result)
        return results

    async def on_matching(
        self, workspace_id: UUID, action: BulkAction, wanted: JobFilter, *, limit: int, cursor: Cursor | None
    ) -> tuple[list[BulkResult], Cursor | None]:
        """The next `limit` jobs of a filter, newest first, and where to go on."""
        async with self._database.tenant(workspace_id, read_only=True) as session:
            jobs, following = await page_of(session, wanted, limit=limit, cursor=cursor)
            ids = [job.id for job in jobs]
        return await self.on_ids(workspace_id, action, ids), following

    async def _one(self, workspace_id: UUID, action: BulkAction, job_id: UUID) -> BulkResult:
        filename: str | None = None
        try:
            async with self._database.tenant(workspace_id) as session:
                filename = await session.scalar(sa.select(Job.filename).where(Job.id == job_id))
                await self._acts[action](session, job_id)
        except AppError as error:
            return BulkResult(job_id, filename, error)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            log.warning("bulk_broke_off", job_id=str(job_id), error=repr(error)[:200])
            return BulkResult(job_id, filename, _FULL if is_full(error) else _AWAY)
        return BulkResult(job_id, filename, None)

    async def _retry(self, session: TenantSession, job_id: UUID) -> None:
        status = await session.scalar(sa.select(Job.status).where(Job.id == job_id).with_for_update())
        if status is None:
            raise NotFoundError
        if status == JobStatus.COMPLETED:
            raise InvalidStateError("This job is completed. Run it again by itself.")
        if status == JobStatus.PENDING:
            await self._jobs.retry_now(session, job_id)
        else:
            await self._jobs.retry(session, job_id)

    async def _delete(self, session: TenantSession, job_id: UUID) -> None:
        file_id = await self._jobs.delete(session, job_id)
        if file_id is not None:
            await self._files.delete_if_unused(session, file_id)
