"""In every process: takes back what others left, and wakes what has waited long enough."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Callable

from app.core.ending import end
from app.core.logging import get_logger
from app.db.away import is_away
from app.db.session import Database
from app.services.jobs import claims, recovery, waiting
from app.services.jobs.admission import Room
from app.services.jobs.bus import EventBus
from app.services.jobs.engine_choice import EngineChooser

log = get_logger(__name__)

SWEEP_SECONDS = 5.0


class Sweeper:
    """Needs no leader: each thing that it does is one compare-and-set. `ring` tells the executor that there is work.

    While the database is away no lease can be renewed. Once it is back, owners get the time of a heartbeat to come back
    to their jobs, or to hand them back at no cost, before anything is taken from them.

    `workers_apart`: jobs are done by processes of their own, which may be missing; these get a minute to start.
    """

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        chooser: EngineChooser,
        *,
        ring: Callable[[], None],
        room: Room | None = None,
        workers_apart: bool = False,
    ) -> None:
        self._database = database
        self._bus = bus
        self._chooser = chooser
        self._ring = ring
        self._room = room
        self._workers_from = time.monotonic() + waiting.NO_WORKER_SECONDS if workers_apart else math.inf
        self._recheck = asyncio.Event()
        self._patient_until = 0.0
        self._away = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin at once in the background: what a dead process of this host left is taken back by the first round."""
        self._task = asyncio.create_task(self._loop())

    async def stop(self) -> None:
        await end(self._task)

    def recheck_waiting(self) -> None:
        """A model arrived, or will not come: jobs that wait for one are looked at again now."""
        self._recheck.set()

    async def sweep(self) -> int:
        """One round; answers how many jobs may be claimed again."""
        taken = await recovery.recover_dead_owners(self._database, self._bus)
        if self._away:
            self._away, self._patient_until = False, time.monotonic() + claims.HEARTBEAT_SECONDS
        if time.monotonic() >= self._patient_until:
            taken += await recovery.sweep_expired_leases(self._database, self._bus)
        taken += await waiting.wake_ready(self._database, self._bus, self._chooser)
        if self._room is not None:
            taken += await waiting.wake_stored(self._database, self._room)
        if time.monotonic() >= self._workers_from:
            await waiting.tell_that_nobody_works(self._database, self._bus)
        return taken

    async def _loop(self) -> None:
        while True:
            try:
                if await self.sweep():
                    self._ring()
            except Exception as error:
                self._away = self._away or is_away(error)
                log.warning("sweep_failed", error=repr(error)[:200])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS * random.uniform(0.8, 1.2)):  # noqa: S311 (jitter)
                    await self._recheck.wait()
            self._recheck.clear()
