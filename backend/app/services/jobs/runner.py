"""Runs one claimed job from file to transcript. In-process, polling and Celery workers all come through here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.asr.host.decoder import Decoder
from app.asr.host.pool import EnginePool
from app.asr.limits import MediaLimits
from app.asr.pipeline import transcribe
from app.asr.remote.errors import ProviderError
from app.asr.selection import CLOUD_FORBIDDEN, Availability, Choice
from app.asr.types import EngineSpec, TranscribeOptions
from app.core.ending import end
from app.core.errors import JobError
from app.core.logging import bound_contextvars, get_logger
from app.db.away import when_back
from app.db.session import Database
from app.models import Job, MediaFile
from app.services.jobs import claims, diarizing, finalize, planning
from app.services.jobs.admission import STORAGE_FULL, Room
from app.services.jobs.bus import EventBus
from app.services.jobs.cache import ResultCache
from app.services.jobs.checkpoints import JobSink
from app.services.jobs.cloud import CloudDesk
from app.services.jobs.cloud_gate import PROVIDERS
from app.services.jobs.diarizing import Diarizer
from app.services.jobs.engine_choice import EngineChooser
from app.services.jobs.external import CloudLimitError
from app.services.jobs.fetching import LinkDesk
from app.services.jobs.options import transcribe_options
from app.services.jobs.outcome import Outcome
from app.storage.base import ObjectStore

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunnerParts:
    """What every run needs; built once in the factory."""

    database: Database
    bus: EventBus
    store: ObjectStore
    pool: EnginePool
    decoder: Decoder
    chooser: EngineChooser
    limits: MediaLimits
    max_in_flight: int
    cloud: CloudDesk | None = None  # None: no job goes to a provider
    diarizer: Diarizer | None = None  # None: voices are never told apart here
    cache: ResultCache | None = None  # None: each recording is listened to
    room: Room | None = None  # None: the disk is never looked at
    links: LinkDesk | None = None  # None: no job fetches its recording
    fetch_only: bool = False  # recordings are brought here, and heard by somebody else
    on_completed: Callable[[], None] = lambda: None  # a text is whole: it may be archived


class JobRun:
    """One claim's work. `drain` and `interrupt` may be called from outside while `run` is awaited."""

    def __init__(self, parts: RunnerParts, claim: claims.Claim) -> None:
        self._parts = parts
        self.claim = claim
        self._work: asyncio.Task[None] | None = None
        self._sink: JobSink | None = None
        self._cancel_asked = False
        self._releasing = False
        self._good_until = time.monotonic() + claims.SELF_FENCE_SECONDS

    async def run(self) -> None:
        """Work until the job is final, waiting or handed back. Never raises for what a recording can cause."""
        with bound_contextvars(job_id=str(self.claim.job_id), workspace_id=str(self.claim.workspace_id)):
            self._work = asyncio.create_task(self._transcribe())
            if self._cancel_asked or self._releasing:
                self._work.cancel()
            keeper = asyncio.create_task(self._keep_lease())
            try:
                await asyncio.wait({self._work})
                await self._settle(self._work)
            except claims.LostClaimError:
                log.info("claim_lost")
            finally:
                self._work.cancel()
                await end(keeper)
                if self._parts.cloud is not None:
                    self._parts.cloud.cleaner.wake()  # whatever became of it, a provider may have to delete something

    def interrupt(self) -> None:
        """A cancel was asked for, or the job deleted: stop now. The row already says which."""
        self._cancel_asked = True
        if self._work is not None:
            self._work.cancel()

    async def drain(self, seconds: float) -> None:
        """Let windows in flight end, up to `seconds`, then hand the job back."""
        self._releasing = True
        deadline = time.monotonic() + seconds
        if self._sink is not None:
            self._sink.drain()
            while self._sink.in_flight > 0 and time.monotonic() < deadline and not self._work_is_done():  # noqa: ASYNC110 (a deadline, too)
                await asyncio.sleep(0.05)
        if self._work is not None:
            self._work.cancel()

    def _work_is_done(self) -> bool:
        return self._work is None or self._work.done()

    async def _transcribe(self) -> None:
        parts, claim = self._parts, self.claim
        async with parts.database.system(read_only=True) as session:
            job = await session.get_one(Job, claim.job_id)
            file = await session.get(MediaFile, job.file_id) if job.file_id else None
        if parts.room is not None and await parts.room.is_full():
            raise planning.MustWaitError(STORAGE_FULL)
        if file is None:
            file = await self._bring(job)
            if parts.fetch_only:
                raise planning.HandOverError
        if job.plan_complete and job.windows_committed == job.windows_planned:
            await self._transcribe_with(None, job, file)  # every word is there: no engine is needed
            return
        passed_over: dict[str, Availability] = {}
        failure: JobError | None = None
        while True:
            choice = await parts.chooser.choose(job, passed_over=passed_over)
            if choice.spec is None:
                async with parts.database.system() as session:
                    await claims.guarded(session, claim, {"engine_reasons": list(choice.reasons)})
                raise failure or planning.MustWaitError(choice.wait_reason or "engine_unavailable")
            try:
                await self._transcribe_with(choice, job, file)
                return
            except (ProviderError, CloudLimitError) as error:
                async with parts.database.system(read_only=True) as session:
                    job = await session.get_one(Job, claim.job_id)
                paid_for = (
                    isinstance(error, CloudLimitError)
                    and error.retryable
                    and error.code != CLOUD_FORBIDDEN
                    and job.windows_committed
                )
                if paid_for or not parts.chooser.is_automatic(job):
                    raise
                log.warning("provider_passed_over", engine=choice.spec.engine, reason=error.message)
                passed_over[choice.spec.engine] = Availability(None, error.code, error.message)
                failure = failure or error

    async def _bring(self, job: Job) -> MediaFile:
        """The recording of a job that names a link; one whose recording has been removed cannot run again."""
        if self._parts.links is None or job.source_url is None:
            raise JobError("media_gone", "The recording of this job has been removed.")
        return await self._parts.links.bring(self.claim, job)

    async def _transcribe_with(self, choice: Choice | None, job: Job, file: MediaFile) -> None:
        """The rest of the way with one engine; None where only the transcript is left to write."""
        parts, claim = self._parts, self.claim
        spec = choice.spec if choice is not None else None
        if choice is not None:
            async with parts.database.system() as session:
                job = await planning.begin_run(session, claim, choice, transcribe_options(job))
        async with parts.store.local_copy(file.storage_key) as source:
            await self._transcribe_file(spec, job, file, source)

    async def _transcribe_file(
        self, spec: EngineSpec | None, job: Job, file: MediaFile, source: Path
    ) -> None:
        parts, claim = self._parts, self.claim
        if spec is not None and await self._is_known(spec, job, file, source):
            parts.on_completed()
            return
        sink = self._sink = JobSink(parts.database, parts.bus, parts.store, claim, job)
        await sink.load()
        if spec is not None and not (job.plan_complete and job.windows_committed == job.windows_planned):
            await self._hear(spec, transcribe_options(job), source, job, sink)
        if parts.cloud is not None and job.engine in PROVIDERS:
            await parts.cloud.note(claim)
        await diarizing.tell_apart(parts.database, claim, sink, parts.diarizer, source)
        await finalize.finalize(parts.database, parts.bus, claim)
        parts.on_completed()

    async def _is_known(self, spec: EngineSpec, job: Job, file: MediaFile, source: Path) -> bool:
        """Whether the job is completed with a stored text; the stub's depends on the name of the file, too."""
        cache = self._parts.cache
        return (
            cache is not None
            and spec.engine != "stub"
            and await cache.complete(self.claim, job, file, source)
        )

    async def _hear(
        self, spec: EngineSpec, options: TranscribeOptions, source: Any, job: Job, sink: JobSink
    ) -> None:
        parts = self._parts
        if spec.engine == "stub":
            await planning.write_stub(source, job.filename, sink)
            return
        if parts.cloud is not None and spec.engine in PROVIDERS:
            await parts.cloud.hear(
                self.claim,
                job,
                spec,
                options,
                source,
                decoder=parts.decoder,
                sink=sink,
                limits=parts.limits,
            )
            return
        await transcribe(
            source,
            spec,
            options,
            job=str(self.claim.job_id),
            decoder=parts.decoder,
            pool=parts.pool,
            sink=sink,
            limits=parts.limits,
            max_in_flight=parts.max_in_flight,
            keep_segments=False,
        )

    async def _keep_lease(self) -> None:
        """A heartbeat every 10 s, while they fail every second. Stops the work where the claim is gone, a cancel was
        asked for, or no beat got through for so long that the lease may lapse before the next one."""
        pause = claims.HEARTBEAT_SECONDS
        while True:
            await asyncio.sleep(pause)
            began = time.monotonic()
            try:
                async with asyncio.timeout(self._good_until - began):
                    async with self._parts.database.system() as session:
                        cancel = await claims.heartbeat(session, self.claim)
                self._good_until, pause = began + claims.SELF_FENCE_SECONDS, claims.HEARTBEAT_SECONDS
            except claims.LostClaimError:
                self._stop()
                return
            except Exception as error:
                log.warning("heartbeat_failed", error=repr(error)[:200])
                pause = claims.HEARTBEAT_RETRY_SECONDS
                if time.monotonic() >= self._good_until:
                    self._releasing = True  # as soon as the database is back, unless somebody has it by then
                    self._stop()
                    return
                continue
            if cancel:
                self.interrupt()
                return

    def _stop(self) -> None:
        if self._work is not None:
            self._work.cancel()

    async def _settle(self, work: asyncio.Task[None]) -> None:
        """Turn the way the work ended into the job's next state."""
        outcome = Outcome(self._parts.database, self._parts.bus, self._parts.cloud, self.claim, self._sink)
        error = None if work.cancelled() else work.exception()
        if error is not None:
            failure = error
            await when_back(lambda: outcome.failed(failure), what="outcome")
        elif work.cancelled() and self._cancel_asked:
            await when_back(outcome.cancelled, what="outcome")
        elif work.cancelled() and self._releasing:
            await when_back(outcome.handed_back, what="outcome")
