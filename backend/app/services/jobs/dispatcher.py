"""Takes jobs from the table as slots come free: the executor of a server by itself, and of `transcribe worker`."""

from __future__ import annotations

import asyncio
import contextlib
from uuid import UUID

import sqlalchemy as sa

from app.core.ending import end
from app.core.logging import get_logger
from app.services.jobs import claims
from app.services.jobs.owner import Owner
from app.services.jobs.runner import JobRun, RunnerParts

log = get_logger(__name__)

POLL_SECONDS = 5.0  # a ring makes it at once; this finds what is due by the clock
ERROR_PAUSE_SECONDS = 1.0


class InProcessDispatcher:
    """At most `slots` jobs at a time, of those that `only` lets through. A lost ring costs POLL_SECONDS."""

    def __init__(
        self,
        parts: RunnerParts,
        *,
        slots: int,
        drain_seconds: float,
        only: sa.ColumnElement[bool] | None = None,
    ) -> None:
        self._parts = parts
        self._only = only
        self._slots = asyncio.Semaphore(slots)
        self._drain_seconds = drain_seconds
        self._owner = Owner.current()
        self._wake = asyncio.Event()
        self._runs: dict[UUID, tuple[JobRun, asyncio.Task[None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin in the background."""
        self._tasks = [asyncio.create_task(self._claim_loop())]

    def ring(self) -> None:
        """There may be something to claim."""
        self._wake.set()

    def interrupt(self, job_id: UUID) -> None:
        """A job was cancelled or deleted: stop its work at once if it runs here."""
        if job_id in self._runs:
            self._runs[job_id][0].interrupt()

    @property
    def running(self) -> int:
        return len(self._runs)

    def begin_stop(self) -> None:
        """Claim nothing more and begin to hand jobs back; `stop` waits for the end of it."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop())

    async def stop(self) -> None:
        """Let windows in flight end, hand the jobs back. Safe to call twice."""
        self.begin_stop()
        assert self._stopping is not None
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        runs = list(self._runs.values())
        await asyncio.gather(*(run.drain(self._drain_seconds) for run, _ in runs), return_exceptions=True)
        if runs:
            _, late = await asyncio.wait([task for _, task in runs], timeout=5)
            await end(*late)  # the database is away: the lease has to tell
        await end(*self._tasks)

    async def _claim_loop(self) -> None:
        while True:
            await self._slots.acquire()
            claim = None
            try:
                claim = await self._claim()
            finally:
                if claim is None:
                    self._slots.release()
            if claim is not None:
                self._begin(claim)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    async def _claim(self) -> claims.Claim | None:
        """A claim whose commit is under way when the server stops is handed back, not left to its lease."""
        claiming = asyncio.create_task(self._next())
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            claim = await claiming
            if claim is not None:
                async with self._parts.database.system() as session:
                    now = await session.database_now()
                    await claims.release(session, self._parts.bus, claim, run_after=now, again=False)
            raise

    async def _next(self) -> claims.Claim | None:
        self._wake.clear()
        try:
            async with self._parts.database.system() as session:
                return await claims.claim_next(session, self._parts.bus, self._owner, only=self._only)
        except Exception as error:
            log.warning("claim_failed", error=repr(error)[:200])
            await asyncio.sleep(ERROR_PAUSE_SECONDS)
            return None

    def _begin(self, claim: claims.Claim) -> None:
        run = JobRun(self._parts, claim)
        task = asyncio.create_task(run.run())
        self._runs[claim.job_id] = (run, task)
        task.add_done_callback(lambda done: self._ended(claim.job_id, done))

    def _ended(self, job_id: UUID, task: asyncio.Task[None]) -> None:
        self._runs.pop(job_id, None)
        self._slots.release()
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("run_broke", job_id=str(job_id), exc_info=task.exception())
