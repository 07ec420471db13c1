"""What people do with jobs: create, list, read, cancel, retry, delete. Workers come through `claims`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from app.asr import selection
from app.asr.types import Mode
from app.core.errors import ForbiddenError, InvalidStateError, NotFoundError
from app.core.pagination import Cursor
from app.db.session import TenantSession
from app.models import (
    FINAL,
    HistoryEntry,
    HistoryKind,
    Job,
    JobEvent,
    JobStatus,
    JobWindow,
    MediaFile,
    Speaker,
    SpeakerState,
    Transcript,
    Workspace,
)
from app.services import audit
from app.services.history import tell, tell_wait
from app.services.jobs import minutes, planning
from app.services.jobs.admission import wait_of_new
from app.services.jobs.bus import EventBus
from app.services.jobs.cloud_gate import CloudGate
from app.services.jobs.events import append_end, append_status
from app.services.jobs.options import merge_hints
from app.services.jobs.pages import JobFilter, page_of
from app.services.jobs.requeue import requeue, require_recording
from app.services.transcripts.archive import forget_archived


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What a caller asks of a job; None leaves the choice to the settings of the workspace or of the server."""

    language: str | None = None
    mode: str | None = None
    vad: str = "auto"
    translate: bool = False
    vocabulary: Sequence[str] = ()
    prompt: str = ""
    speakers: int | None = None
    max_speakers: int | None = None
    fresh: bool = False
    engine: str | None = None
    model: str | None = None


class JobService:
    """`ring` tells the executor that there is work, `interrupt` that a running job has to stop now, `gate` knows which
    providers a workspace may name, `forget` removes objects of deleted jobs from the store."""

    def __init__(
        self,
        bus: EventBus,
        *,
        ring: Callable[[], None],
        interrupt: Callable[[UUID], None],
        gate: CloudGate | None = None,
        check_url: Callable[[str], str] | None = None,
        forget: Callable[[list[str]], Awaitable[None]] | None = None,
    ) -> None:
        self._bus = bus
        self._forget = forget
        self._link_check = check_url
        self._gate = gate
        self._ring = ring
        self._interrupt = interrupt

    async def create(
        self,
        session: TenantSession,
        *,
        user_id: UUID | None,
        options: JobOptions,
        file_id: UUID | None = None,
        url: str | None = None,
        playlist: bool = False,
    ) -> Job:
        """A pending job for a sealed file, or for the recording at a link, which is fetched when its turn comes.

        Raises `NotFoundError`, `InvalidInputError`, `UrlNotAllowedError`, `ForbiddenError` (links_disabled).
        """
        file = await _get(session, MediaFile, file_id) if file_id is not None else None
        if file is None:
            url = self._check_url(url)
        workspace = await session.get_one(Workspace, session.workspace_id)
        language, mode = options.language or workspace.language, options.mode or workspace.mode
        selection.validate_request(options.engine, options.model, language, translate=options.translate)
        if self._gate is not None:
            await self._gate.check_request(session, options.engine, options.model)
        hints = merge_hints(workspace, options.vocabulary, options.prompt)
        job = Job(
            workspace_id=session.workspace_id,
            created_by=user_id,
            file_id=file.id if file is not None else None,
            source_url=None if file is not None else url,
            expand_playlist=playlist and file is None,
            filename=file.filename if file is not None else url,
            language=language,
            mode=mode,
            vad=options.vad,
            translate=options.translate,
            vocabulary=list(hints.vocabulary),
            prompt=hints.prompt,
            speakers=options.speakers,
            max_speakers=options.max_speakers,
            fresh=options.fresh,
            speaker_state=SpeakerState.PENDING if mode == Mode.DIALOGUE else SpeakerState.NONE,
            requested_engine=None if options.engine == "auto" else options.engine,
            requested_model=options.model,
            attempt=1,
            run_after=await session.database_now(),
            wait_reason=await wait_of_new(session),
            duration_ms=file.duration_ms if file is not None else None,
        )
        session.add(job)
        await session.flush()
        await minutes.reserve(session, job)
        await append_status(session, self._bus, job)
        await tell(session, job, HistoryKind.CREATED, source="link" if file is None else "file")
        await tell_wait(session, job)
        session.after_commit(self._ring)
        return job

    def _check_url(self, url: str | None) -> str:
        if self._link_check is None:
            raise ForbiddenError("This server does not fetch recordings from the web.", code="links_disabled")
        return self._link_check(url or "")

    async def get(self, session: TenantSession, job_id: UUID) -> Job:
        return await _get(session, Job, job_id)

    async def list(
        self, session: TenantSession, wanted: JobFilter, *, limit: int, cursor: Cursor | None
    ) -> tuple[list[Job], Cursor | None]:
        """A page of the jobs that are wanted, newest first, and where the next begins."""
        return await page_of(session, wanted, limit=limit, cursor=cursor)

    async def cancel(self, session: TenantSession, job_id: UUID) -> Job:
        """At once where it waits; where it runs, the worker is told and ends it. 409 where it is final."""
        job = await _get(session, Job, job_id, lock=True)
        if job.status in FINAL:
            raise InvalidStateError(f"This job is already {job.status}.")
        now = await session.database_now()
        if job.cancel_requested_at is None:
            job.cancel_requested_at = now
            await tell(session, job, HistoryKind.CANCEL_REQUESTED, at=now)
        if job.status == JobStatus.PENDING:
            job.status, job.finished_at, job.wait_reason = JobStatus.CANCELLED, now, None
            job.fence += 1
            await minutes.settle(session, job)
            await append_end(session, self._bus, job)
            await tell(session, job, HistoryKind.CANCELLED, at=now)
        else:
            await append_status(session, self._bus, job)
            session.after_commit(lambda: self._interrupt(job_id))
        return job

    async def retry(
        self, session: TenantSession, job_id: UUID, *, engine: str | None = None, model: str | None = None
    ) -> Job:
        """Queue a final job again. Committed windows are kept where the plan stays the same; a completed job starts
        over and keeps its transcript until the new one is there. 409 where it runs or waits."""
        job = await _get(session, Job, job_id, lock=True)
        if job.status not in FINAL:
            raise InvalidStateError(f"This job is {job.status}. It can be retried once it has ended.")
        require_recording(job)
        named = engine or job.requested_engine
        selection.validate_request(named, model, job.language, translate=job.translate)
        if self._gate is not None:
            await self._gate.check_request(session, named, model)
        values: dict[str, Any] = {}
        if engine is not None:
            values["requested_engine"] = None if engine == "auto" else engine
        if engine is not None or model is not None:
            values["requested_model"] = model  # a model goes with the engine that was asked for
        if job.status == JobStatus.COMPLETED:
            values |= planning.new_run_values()
            await session.execute(sa.delete(JobWindow).where(JobWindow.job_id == job.id))
        else:
            values |= await planning.take_up(session, job.id)
            if engine is not None or model is not None:
                values["plan_complete"] = (
                    False  # even a full plan is looked at again: it may be another engine's
                )
        told = {"what": "all", "engine": engine, "model": model}
        job = await requeue(session, self._bus, self._ring, job, values, told=told)
        await minutes.reserve(session, job)
        return job

    async def retry_now(self, session: TenantSession, job_id: UUID) -> Job:
        """Try a waiting job at once instead of at its time. 409 where it does not wait."""
        job = await _get(session, Job, job_id, lock=True)
        if job.status != JobStatus.PENDING:
            raise InvalidStateError(f"This job is {job.status}. Only one that waits can be tried at once.")
        now = await session.database_now()
        if job.run_after > now:
            job.run_after = now
            await append_status(session, self._bus, job)
            await tell(session, job, HistoryKind.TRIED_AT_ONCE, at=now)
        session.after_commit(self._ring)
        return job

    async def delete(self, session: TenantSession, job_id: UUID, *, act: str = "job.deleted") -> UUID | None:
        """The job, its text and its events. A worker that still runs it loses its claim and stops. `act` is what the
        audit log calls it.

        Gives back the id of its file, if it had one, which the caller deletes where no other job uses it.
        """
        job = await _get(session, Job, job_id, lock=True)
        file_id = job.file_id
        keys = await forget_archived(session, job_id)
        if job.status not in FINAL:
            await minutes.settle(session, job)
        for table in (Transcript, Speaker, JobWindow, JobEvent, HistoryEntry):
            await session.execute(sa.delete(table).where(table.job_id == job_id))
        await session.delete(job)
        audit.record(session, act, workspace_id=session.workspace_id, target=("job", job_id))
        await session.flush()
        workspace_id = session.workspace_id
        session.after_commit(lambda: self._interrupt(job_id))
        session.after_commit(lambda: self._bus.removed(workspace_id, job_id))
        if keys and self._forget is not None:
            forget = self._forget
            session.after_commit(lambda: forget(keys))
        return file_id


T = TypeVar("T", Job, MediaFile)


async def _get(session: TenantSession, table: type[T], row_id: UUID, *, lock: bool = False) -> T:
    statement = sa.select(table).where(table.id == row_id)
    if lock:
        statement = statement.with_for_update()
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFoundError
    return row
