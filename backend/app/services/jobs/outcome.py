"""What becomes of a job when a run of it ends: done, tried again, waiting, failed, cancelled or handed back."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from app.asr.host.pool import EngineCrashed
from app.asr.remote.errors import ProviderError
from app.asr.selection import PROVIDER_DOWN
from app.core.errors import AppError, JobError
from app.core.logging import get_logger
from app.db.away import is_away
from app.db.session import Database
from app.models import HistoryKind, Job
from app.services.jobs import claims, planning
from app.services.jobs.admission import storage_reason
from app.services.jobs.bus import EventBus
from app.services.jobs.checkpoints import JobSink
from app.services.jobs.cloud import LIMIT_PAUSE_SECONDS, CloudDesk
from app.services.jobs.external import CloudLimitError
from app.services.jobs.quarantine import error_detail
from app.services.jobs.waiting import FAR_SECONDS
from app.services.jobs.windows import PlanChangedError

log = get_logger(__name__)

MAX_ENGINE_ERRORS = 3
MAX_WINDOW_CRASHES = 2
RETRY_BASE_SECONDS = 10
AWAY_PAUSE_SECONDS = 2
CRASH_ADVICE = (
    "Retry with another model or engine: it goes on from the text that is there. Or report this recording."
)
KILLED_ADVICE = (  # by the system where memory runs out, else by a person
    "Something outside killed the engine: look whether the machine ran out of memory. Then retry, with a smaller model "
    "where it did: it goes on from the text that is there."
)


class Outcome:
    """The end of one claim's work, written under its fence. `sink` is None where the work never got to windows."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        cloud: CloudDesk | None,
        claim: claims.Claim,
        sink: JobSink | None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._cloud = cloud
        self._claim = claim
        self._sink = sink

    async def cancelled(self) -> None:
        """A person stopped it."""
        async with self._database.system() as session:
            await claims.cancelled(session, self._bus, self._claim)

    async def handed_back(self) -> None:
        """This process is being stopped, or the database was away: whoever comes next goes on."""
        await self._release(0, again=False)

    async def failed(self, error: BaseException) -> None:
        """The work ended with this error: each cause has its own counter and its own pause."""
        if isinstance(error, claims.LostClaimError):
            await self._refused()
        elif is_away(error):
            log.warning("database_away", error=str(error)[:200])
            await self._release(AWAY_PAUSE_SECONDS, again=False)
        elif isinstance(error, planning.MustWaitError):
            await self._release(FAR_SECONDS, again=False, wait_reason=error.reason)
        elif isinstance(error, planning.HandOverError):
            await self._release(0, again=False)
        elif isinstance(error, PlanChangedError):
            async with self._database.system() as session:
                await planning.forget_plan(session, self._claim)
            await self._release(0, again=True, cause=HistoryKind.STARTED_OVER)
        elif isinstance(error, EngineCrashed) and error.window is not None:
            await self._crashed(error, error.window)
        elif isinstance(error, ProviderError) and error.retryable:
            await self._provider_failed(error)
        elif isinstance(error, CloudLimitError) and error.retryable:
            await self._release(
                LIMIT_PAUSE_SECONDS, again=True, wait_reason=error.code, error=(error.code, error.message)
            )
        elif (reason := storage_reason(error)) is not None:
            log.warning("job_waits", reason=reason, error=str(error)[:200])
            await self._release(FAR_SECONDS, again=False, wait_reason=reason)
        elif isinstance(error, JobError):
            await self._broke(error.code, error.message, retryable=error.retryable)
        elif isinstance(error, AppError):
            await self._broke(error.code, error.message, retryable=error.status >= 500)
        else:
            log.error("job_broke", exc_info=error)
            await self._broke(
                "engine_failed",
                "Something broke on our side while this recording was transcribed; it is in the server's log.",
                retryable=True,
            )

    async def _refused(self) -> None:
        """A write matched no row: the claim is gone, or it is ours and a cancel came before the finish.

        Raises `LostClaimError` where it is gone.
        """
        async with self._database.system() as session:
            job = await claims.guarded(session, self._claim, {})
            if job.cancel_requested_at is not None:
                await claims.cancelled(session, self._bus, self._claim)
                return
        await self._broke("engine_failed", "The text could not be put together.", retryable=True)

    async def _crashed(self, error: EngineCrashed, window: int) -> None:
        assert self._sink is not None
        crashes = await self._sink.count_crash(window)
        log.warning("engine_crashed", window=window, crashes=crashes, reason=error.message)
        if crashes < MAX_WINDOW_CRASHES:
            await self._release(0, again=True, error=(error.code, error.message))
            return
        kept = " The text of the other windows is kept." if (await self._job()).windows_committed else ""
        await self._fail(
            "quarantined",
            f"The engine crashed {crashes} times on window {window + 1} of this recording, so it is set aside.{kept}",
            error_detail(window, error.log_tail, KILLED_ADVICE if "SIGKILL" in error.how else CRASH_ADVICE),
        )

    async def _provider_failed(self, error: ProviderError) -> None:
        """A provider's failure is waited out: the recording did nothing wrong."""
        assert self._cloud is not None
        pause = self._cloud.pause(await self._job(), error)
        if pause is None:
            await self._fail(error.code, error.message)
            return
        log.warning("provider_waited_out", code=error.code, reason=error.message, seconds=round(pause))
        await self._release(pause, again=True, wait_reason=PROVIDER_DOWN, error=(error.code, error.message))

    async def _broke(self, code: str, message: str, *, retryable: bool) -> None:
        errors = (await self._job()).engine_errors + 1
        if not retryable or errors >= MAX_ENGINE_ERRORS:
            log.warning("job_failed", code=code, reason=message)
            await self._fail(code, message)
            return
        delay = RETRY_BASE_SECONDS * 4 ** (errors - 1) * random.uniform(0.8, 1.2)  # noqa: S311 (jitter, not a secret)
        await self._release(delay, again=True, error=(code, message), counters={"engine_errors": errors})

    async def _job(self) -> Job:
        """The job as it stands. Raises `LostClaimError` where it was deleted meanwhile."""
        async with self._database.system(read_only=True) as session:
            job = await session.get(Job, self._claim.job_id)
        if job is None:
            raise claims.LostClaimError
        return job

    async def _fail(self, code: str, message: str, detail: dict[str, Any] | None = None) -> None:
        async with self._database.system() as session:
            await claims.fail(session, self._bus, self._claim, code=code, message=message, detail=detail)

    async def _release(self, delay_seconds: float, **values: Any) -> None:
        async with self._database.system() as session:
            run_after = await session.database_now() + timedelta(seconds=delay_seconds)
            await claims.release(session, self._bus, self._claim, run_after=run_after, **values)
