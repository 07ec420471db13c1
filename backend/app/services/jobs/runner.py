"""Runs one claimed job from file to transcript. In-process, polling and Celery workers all come through here."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.asr.host.decoder import Decoder
from app.asr.host.pool import EngineCrashed, EnginePool
from app.asr.limits import MediaLimits
from app.asr.pipeline import transcribe
from app.asr.remote.errors import ProviderError
from app.asr.selection import CLOUD_FORBIDDEN, Availability, Choice
from app.asr.types import EngineSpec, TranscribeOptions
from app.core.errors import AppError, JobError
from app.core.logging import bound_contextvars, get_logger
from app.db.session import Database
from app.models import Job, MediaFile
from app.services.jobs import claims, diarizing, finalize, planning
from app.services.jobs.bus import EventBus
from app.services.jobs.cache import ResultCache
from app.services.jobs.checkpoints import JobSink
from app.services.jobs.cloud import LIMIT_PAUSE_SECONDS, CloudDesk
from app.services.jobs.cloud_gate import PROVIDERS
from app.services.jobs.diarizing import Diarizer
from app.services.jobs.engine_choice import EngineChooser
from app.services.jobs.external import CloudLimitError
from app.services.jobs.options import transcribe_options
from app.services.jobs.waiting import FAR_SECONDS
from app.services.jobs.windows import PlanChangedError
from app.storage.base import ObjectStore

log = get_logger(__name__)

MAX_ENGINE_ERRORS = 3
MAX_WINDOW_CRASHES = 2
RETRY_BASE_SECONDS = 10


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


class JobRun:
    """One claim's work. `drain` and `interrupt` may be called from outside while `run` is awaited."""

    def __init__(self, parts: RunnerParts, claim: claims.Claim) -> None:
        self._parts = parts
        self.claim = claim
        self._work: asyncio.Task[None] | None = None
        self._sink: JobSink | None = None
        self._cancel_asked = False
        self._releasing = False

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
                keeper.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await keeper
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
            file = await session.get_one(MediaFile, job.file_id)
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

    async def _transcribe_with(self, choice: Choice | None, job: Job, file: MediaFile) -> None:
        """The rest of the way with one engine; None where only the transcript is left to write."""
        parts, claim = self._parts, self.claim
        spec = choice.spec if choice is not None else None
        if choice is not None:
            async with parts.database.system() as session:
                job = await planning.begin_run(session, claim, choice, transcribe_options(job))
        source = await parts.store.local_path(file.storage_key)
        if spec is not None and await self._is_known(spec, job, file, source):
            return
        sink = self._sink = JobSink(parts.database, parts.bus, parts.store, claim, job)
        await sink.load()
        if spec is not None and not (job.plan_complete and job.windows_committed == job.windows_planned):
            await self._hear(spec, transcribe_options(job), source, job, sink)
        if parts.cloud is not None and job.engine in PROVIDERS:
            await parts.cloud.note(claim)
        await diarizing.tell_apart(parts.database, claim, sink, parts.diarizer, source)
        await finalize.finalize(parts.database, parts.bus, claim)

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
        """Heartbeat every 10 s; stops the work where the claim is gone, a cancel was asked, or no beat got through."""
        good = time.monotonic()
        while True:
            await asyncio.sleep(claims.HEARTBEAT_SECONDS)
            try:
                async with asyncio.timeout(claims.HEARTBEAT_SECONDS):
                    async with self._parts.database.system() as session:
                        cancel = await claims.heartbeat(session, self.claim)
                good = time.monotonic()
            except claims.LostClaimError:
                self._stop()
                return
            except Exception as error:
                log.warning("heartbeat_failed", error=repr(error)[:200])
                if time.monotonic() - good >= claims.SELF_FENCE_SECONDS:
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
        if work.cancelled():
            await self._settle_stopped()
            return
        error = work.exception()
        if error is None or isinstance(error, claims.LostClaimError):
            return
        if isinstance(error, planning.MustWaitError):
            await self._release(FAR_SECONDS, again=False, wait_reason=error.reason)
        elif isinstance(error, PlanChangedError):
            async with self._parts.database.system() as session:
                await planning.forget_plan(session, self.claim)
            await self._release(0, again=True)
        elif isinstance(error, EngineCrashed) and error.window is not None:
            await self._settle_crash(error, error.window)
        elif isinstance(error, ProviderError) and error.retryable:
            await self._settle_provider(error)
        elif isinstance(error, CloudLimitError) and error.retryable:
            await self._release(LIMIT_PAUSE_SECONDS, again=True, error=(error.code, error.message))
        elif isinstance(error, JobError):
            await self._settle_error(error.code, error.message, retryable=error.retryable)
        elif isinstance(error, AppError):
            await self._settle_error(error.code, error.message, retryable=error.status >= 500)
        else:
            log.error("job_broke", exc_info=error)
            await self._settle_error(
                "engine_failed",
                "Something broke on our side while this recording was transcribed; it is in the server's log.",
                retryable=True,
            )

    async def _settle_stopped(self) -> None:
        if self._cancel_asked:
            async with self._parts.database.system() as session:
                await claims.cancelled(session, self._parts.bus, self.claim)
        elif self._releasing:
            await self._release(0, again=False)

    async def _settle_crash(self, error: EngineCrashed, window: int) -> None:
        assert self._sink is not None
        crashes = await self._sink.count_crash(window)
        log.warning("engine_crashed", window=window, crashes=crashes, reason=error.message)
        if crashes < MAX_WINDOW_CRASHES:
            await self._release(0, again=True, error=(error.code, error.message))
            return
        await self._fail(
            "quarantined",
            f"The engine crashed {crashes} times on window {window + 1} of this recording, so it is set "
            "aside. The text of the other windows is kept. Retry with another model, or report this file.",
        )

    async def _settle_provider(self, error: ProviderError) -> None:
        """A provider's failure is waited out: the recording did nothing wrong."""
        assert self._parts.cloud is not None
        async with self._parts.database.system(read_only=True) as session:
            pause = self._parts.cloud.pause(await session.get_one(Job, self.claim.job_id), error)
        if pause is None:
            await self._fail(error.code, error.message)
            return
        log.warning("provider_waited_out", code=error.code, reason=error.message, seconds=round(pause))
        await self._release(pause, again=True, error=(error.code, error.message))

    async def _settle_error(self, code: str, message: str, *, retryable: bool) -> None:
        async with self._parts.database.system(read_only=True) as session:
            errors = (await session.get_one(Job, self.claim.job_id)).engine_errors + 1
        if not retryable or errors >= MAX_ENGINE_ERRORS:
            log.warning("job_failed", code=code, reason=message)
            await self._fail(code, message)
            return
        delay = RETRY_BASE_SECONDS * 4 ** (errors - 1) * random.uniform(0.8, 1.2)  # noqa: S311 (jitter, not a secret)
        await self._release(delay, again=True, error=(code, message), counters={"engine_errors": errors})

    async def _fail(self, code: str, message: str) -> None:
        async with self._parts.database.system() as session:
            await claims.fail(session, self._parts.bus, self.claim, code=code, message=message)

    async def _release(self, delay_seconds: float, **values: Any) -> None:
        async with self._parts.database.system() as session:
            run_after = await session.database_now() + timedelta(seconds=delay_seconds)
            await claims.release(session, self._parts.bus, self.claim, run_after=run_after, **values)
