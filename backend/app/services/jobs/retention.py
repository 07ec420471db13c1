"""How long a workspace keeps things: recordings go after `media_days`, whole jobs after `transcript_days`.

Each recording and each job goes in a transaction of its own, which looks once more whether it is still due: a round that
was cut off, or runs in two processes at once, leaves nothing half done and nothing done twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import AppError, NotFoundError
from app.core.logging import get_logger
from app.db.session import Database, TenantSession
from app.models import FINAL, HistoryKind, Job, MediaFile, Transcript, Workspace
from app.services import audit
from app.services.history import tell
from app.services.jobs.bus import EventBus
from app.services.jobs.events import append_status
from app.services.jobs.service import JobService
from app.services.media.files import Files

log = get_logger(__name__)

BATCH = 100


@dataclass(frozen=True, slots=True)
class _Due:
    """Everything of a workspace that is as old as this, or older; None keeps it for good."""

    workspace_id: UUID
    media_before: datetime | None
    text_before: datetime | None


class Retention:
    """One step of the maintenance."""

    def __init__(self, database: Database, bus: EventBus, jobs: JobService, files: Files) -> None:
        self._database = database
        self._bus = bus
        self._jobs = jobs
        self._files = files

    async def run_once(self, now: datetime | None = None) -> int:
        """Answers how many recordings and jobs went."""
        gone = 0
        for due in await self._due(now or utcnow()):
            if due.text_before is not None:
                gone += await self._each(due.workspace_id, due.text_before, _old_jobs, self._drop_job)
            if due.media_before is not None:
                gone += await self._each(due.workspace_id, due.media_before, _old_files, self._drop_file)
        return gone

    async def _due(self, now: datetime) -> list[_Due]:
        async with self._database.system(read_only=True) as session:
            rows = await session.execute(
                sa.select(Workspace.id, Workspace.media_days, Workspace.transcript_days).where(
                    Workspace.deleted_at.is_(None),
                    sa.or_(Workspace.media_days.is_not(None), Workspace.transcript_days.is_not(None)),
                )
            )
            return [_Due(row[0], _before(now, row[1]), _before(now, row[2])) for row in rows]

    async def _each(self, workspace_id: UUID, before: datetime, select: Any, drop: Any) -> int:
        gone, after = 0, UUID(int=0)
        while True:
            async with self._database.tenant(workspace_id, read_only=True) as session:
                query: sa.Select[UUID] = select(before)
                column = query.selected_columns[0]
                ids = (
                    (await session.execute(query.where(column > after).order_by(column).limit(BATCH)))
                    .scalars()
                    .all()
                )
            for row_id in ids:
                try:
                    async with self._database.tenant(workspace_id) as session:
                        gone += await drop(session, row_id, before)
                except (AppError, sa.exc.SQLAlchemyError) as error:  # the others are due all the same
                    log.warning("retention_waits", id=str(row_id), error=repr(error)[:200])
            if len(ids) < BATCH:
                break
            after = ids[-1]
        if gone:
            log.info("retention", workspace_id=str(workspace_id), gone=gone)
        return gone

    async def _drop_job(self, session: TenantSession, job_id: UUID, before: datetime) -> bool:
        if (
            await session.execute(_old_jobs(before).where(Job.id == job_id).with_for_update())
        ).first() is None:
            return False  # deleted or begun again meanwhile
        file_id = await self._jobs.delete(session, job_id, act="job.expired")
        if file_id is not None:
            await self._files.delete_if_unused(session, file_id)
        return True

    async def _drop_file(self, session: TenantSession, file_id: UUID, before: datetime) -> bool:
        """The bytes go, the texts stay: their jobs have no `file_id` from now on."""
        users = await session.execute(sa.select(Job).where(Job.file_id == file_id).with_for_update())
        jobs = users.scalars().all()
        if (await session.execute(_old_files(before).where(MediaFile.id == file_id))).first() is None:
            return False  # deleted, or a job wants to hear it again
        for job in jobs:
            job.file_id = None
        # What the store has of the texts lies beside the recording and goes with it; the database keeps them.
        await session.execute(
            sa.update(Transcript)
            .where(Transcript.job_id.in_([job.id for job in jobs]))
            .values(text_key=None, json_key=None)
            .execution_options(synchronize_session=False)
        )
        await session.flush()
        if not await self._files.delete_if_unused(session, file_id):
            raise NotFoundError  # a job was made of it in this moment: take the change back
        for job in jobs:
            await append_status(session, self._bus, job)
            await tell(session, job, HistoryKind.RECORDING_REMOVED)
        audit.record(session, "file.expired", workspace_id=session.workspace_id, target=("file", file_id))
        return True


def _before(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now - timedelta(days=days)


def _old_jobs(before: datetime) -> sa.Select[UUID]:
    """Jobs that ended then or earlier. What still waits or runs is not over."""
    return sa.select(Job.id).where(Job.status.in_(FINAL), Job.finished_at <= before)


def _old_files(before: datetime) -> sa.Select[UUID]:
    """Recordings that came then or earlier and that no job is still waiting to hear."""
    busy = sa.exists().where(Job.file_id == MediaFile.id, Job.status.not_in(FINAL))
    return sa.select(MediaFile.id).where(MediaFile.created_at <= before, ~busy)
