"""Finished texts as files in the store, beside their recordings: to take home by whoever has the bucket, and to hand out
by signed address instead of through this server.

They follow the transcript: a step of its own after the commit, tried again until it works; no failure here touches
the job.
"""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import sqlalchemy as sa

from app.core.errors import AppError, NotFoundError
from app.core.logging import get_logger
from app.db.session import Database, TenantSession
from app.models import HistoryKind, Job, JobStatus, MediaFile, Transcript
from app.services.history import tell
from app.services.transcripts.names import speaker_names
from app.services.transcripts.results import read_result
from app.storage.base import ObjectStore
from app.storage.keys import sibling_key

log = get_logger(__name__)

EVERY_SECONDS = 300.0
_BATCH = 50


class TextArchive:
    """Writes TXT and JSON of completed jobs. Safe in every process at once: the same text goes to the same key."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def run_once(self) -> int:
        """Answers how many texts were written; what does not work now is left to the next time."""
        written = 0
        for workspace_id, job_id in await self._missing():
            try:
                written += await self._write(workspace_id, job_id)
            except (AppError, OSError, sa.exc.SQLAlchemyError) as error:
                log.warning("text_not_archived", job_id=str(job_id), error=str(error)[:200])
        return written

    async def _missing(self) -> list[tuple[UUID, UUID]]:
        async with self._database.system(read_only=True) as session:
            rows = await session.execute(
                sa.select(Job.workspace_id, Job.id)
                .join(Transcript, Transcript.id == Job.transcript_id)
                .where(
                    Job.status == JobStatus.COMPLETED,
                    Job.file_id.is_not(None),
                    Transcript.json_key.is_(None),
                )
                .order_by(Transcript.created_at.desc())
                .limit(_BATCH)
            )
            return [(workspace_id, job_id) for workspace_id, job_id in rows]

    async def _write(self, workspace_id: UUID, job_id: UUID) -> bool:
        async with self._database.tenant(workspace_id, read_only=True) as session:
            job = await _job(session, job_id)
            file = await session.get(MediaFile, job.file_id)
            if file is None or job.transcript_id is None:
                return False
            names = await speaker_names(session, job_id)
            text = await read_result(session, job, partial=False)
        keys = {
            form: sibling_key(file.storage_key, f"text_{job.transcript_id.hex}_{form}")
            for form in ("txt", "json")
        }
        for form, key in keys.items():
            await self._put(key, await asyncio.to_thread(text.render, form))
        async with self._database.tenant(workspace_id) as session:
            if await self._is_current(session, job, names):
                await session.execute(
                    sa.update(Transcript)
                    .where(Transcript.id == job.transcript_id)
                    .values(text_key=keys["txt"], json_key=keys["json"])
                    .execution_options(synchronize_session=False)
                )
                await tell(session, job, HistoryKind.FILES_WRITTEN, formats=list(keys))
                return True
        for key in keys.values():  # deleted, begun again or renamed meanwhile
            await self._store.delete(key)
        return False

    async def _is_current(self, session: TenantSession, job: Job, names: dict[str, str]) -> bool:
        """Whether what was written is still the job's text, with the names that its speakers have now."""
        locked = (
            await session.execute(sa.select(Job).where(Job.id == job.id).with_for_update())
        ).scalar_one_or_none()
        return (
            locked is not None
            and locked.transcript_id == job.transcript_id
            and locked.status == JobStatus.COMPLETED
            and await speaker_names(session, job.id) == names
        )

    async def _put(self, key: str, content: bytes) -> None:
        scratch = self._store.scratch_dir() / f"{uuid4().hex}.tmp"
        try:
            await asyncio.to_thread(scratch.write_bytes, content)
            await self._store.put_file(key, scratch)
        finally:
            scratch.unlink(missing_ok=True)


async def archived_key(session: TenantSession, job: Job, form: str) -> str | None:
    """Where the job's finished text is kept in this form, if it is."""
    if job.status != JobStatus.COMPLETED or form not in ("txt", "json"):
        return None
    column = Transcript.text_key if form == "txt" else Transcript.json_key
    return await session.scalar(sa.select(column).where(Transcript.id == job.transcript_id))


async def _job(session: TenantSession, job_id: UUID) -> Job:
    job = (await session.execute(sa.select(Job).where(Job.id == job_id))).scalar_one_or_none()
    if job is None:
        raise NotFoundError
    return job


async def forget_archived(session: TenantSession, job_id: UUID) -> list[str]:
    """The stored texts of a job are no longer what it says: answers the keys of their objects."""
    rows = await session.execute(
        sa.select(Transcript.text_key, Transcript.json_key).where(
            Transcript.job_id == job_id, Transcript.json_key.is_not(None)
        )
    )
    keys = [key for row in rows for key in row if key]
    await session.execute(
        sa.update(Transcript)
        .where(Transcript.job_id == job_id)
        .values(text_key=None, json_key=None)
        .execution_options(synchronize_session=False)
    )
    return keys
