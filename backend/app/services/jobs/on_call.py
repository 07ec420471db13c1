"""Works on a job for each call: the executor of a process whose schedule a broker's client makes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from app.core.background import Background
from app.core.logging import get_logger
from app.models import Job
from app.services.jobs import claims
from app.services.jobs.bells import Ringer
from app.services.jobs.owner import Owner
from app.services.jobs.resources import Resource, only_for
from app.services.jobs.runner import JobRun, RunnerParts

log = get_logger(__name__)

LISTEN_SECONDS = 20.0
DEAF_AFTER = timedelta(
    seconds=30
)  # a job that is due for so long while this process is idle was not rung for


class OnCall:
    """`run_next` claims and works to the end of one job. Jobs that nobody rings for are taken, too, after a while: the
    broker may be away, or its client deaf. After each job the ringer looks whether another bell is needed.
    """

    def __init__(
        self,
        parts: RunnerParts,
        ringer: Ringer,
        *,
        backend: str,
        resources: Collection[Resource],
        drain_seconds: float,
    ) -> None:
        self._parts = parts
        self._ringer = ringer
        self._backend = backend
        self._resources = resources
        self._drain_seconds = drain_seconds
        self._owner = Owner.current()
        self._runs: dict[UUID, JobRun] = {}
        self._drains: list[asyncio.Task[None]] = []
        self._working: set[asyncio.Task[bool]] = set()
        self._stopping = False
        self._looks = Background("look_for_unheard_work", self._take_unheard, every_seconds=LISTEN_SECONDS)

    def start(self) -> None:
        self._ringer.start()
        self._looks.start()

    def ring(self) -> None:
        self._ringer.ring()

    def interrupt(self, job_id: UUID) -> None:
        if job_id in self._runs:
            self._runs[job_id].interrupt()

    @property
    def running(self) -> int:
        return len(self._runs)

    def begin_stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._drains = [asyncio.create_task(run.drain(self._drain_seconds)) for run in self._runs.values()]

    async def stop(self) -> None:
        self.begin_stop()
        await asyncio.gather(*self._drains, return_exceptions=True)
        if self._working:
            await asyncio.wait(self._working, timeout=5)
        await self._looks.stop()
        await self._ringer.stop()

    async def run_next(self, resource: Resource) -> bool:
        """Work on the next job that needs `resource`; False where there is none. Never raises for what a job does."""
        return await self._run(only_for(self._backend, [resource]))

    async def _take_unheard(self) -> None:
        if self._working:
            return
        async with self._parts.database.system(read_only=True) as session:
            long_ago = await session.database_now() - DEAF_AFTER
        mine = only_for(self._backend, self._resources)
        while await self._run(sa.and_(mine, Job.run_after <= long_ago)):
            log.info("took_a_job_that_nobody_rang_for")

    async def _run(self, only: sa.ColumnElement[bool]) -> bool:
        task = asyncio.create_task(self._claim_and_run(only))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await asyncio.shield(task)

    async def _claim_and_run(self, only: sa.ColumnElement[bool]) -> bool:
        if self._stopping:
            return False
        try:
            async with self._parts.database.system() as session:
                claim = await claims.claim_next(session, self._parts.bus, self._owner, only=only)
        except Exception as error:  # the bell is lost; it is rung again
            log.warning("claim_failed", error=repr(error)[:200])
            return False
        if claim is None:
            return False
        run = self._runs[claim.job_id] = JobRun(self._parts, claim)
        try:
            if self._stopping:
                await run.drain(0)
            await run.run()
        finally:
            self._runs.pop(claim.job_id, None)
            self._ringer.ring()
        return True
