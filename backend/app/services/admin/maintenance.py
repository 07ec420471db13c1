"""Periodic work: uploads that were left, what is over its time, temporary files. For any number of processes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.core.ending import end
from app.core.logging import get_logger
from app.services.turns import Turns

log = get_logger(__name__)

EVERY_SECONDS = 600.0
LOOK_SECONDS = 30.0

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of work. One that is not `shared` concerns this process's own disk, and each process does it; all others
    are done by one of them. Each may be cut off anywhere and run again."""

    name: str
    work: Work
    every_seconds: float = EVERY_SECONDS
    shared: bool = True


class Maintenance:
    """Looks every half minute what is due; a step that fails is logged and tried again in its next turn."""

    def __init__(self, steps: Sequence[Step], turns: Turns, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._steps = steps
        self._turns = turns
        self._look = look_seconds
        self._own_due: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._loop())

    async def stop(self) -> None:
        await end(self._task)

    async def run_once(self) -> None:
        """Every step now, due or not."""
        for step in self._steps:
            await self._try(step.name, step.work)

    async def run_due(self) -> None:
        """The steps whose turn has come and that nobody else has taken."""
        for step in self._steps:
            await self._try(step.name, lambda step=step: self._if_due(step))  # type: ignore[misc]

    async def _if_due(self, step: Step) -> None:
        if step.shared:
            await self._turns.when_due(step.name, timedelta(seconds=step.every_seconds), step.work)
            return
        now = asyncio.get_running_loop().time()
        if now >= self._own_due.get(step.name, 0.0):
            self._own_due[step.name] = now + step.every_seconds
            await step.work()

    async def _try(self, name: str, work: Work) -> None:
        try:
            await work()
        except Exception as error:
            log.warning("maintenance_step_failed", step=name, error=repr(error)[:200])

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(self._look * random.uniform(0.8, 1.2))  # noqa: S311 (jitter, not a secret)
            await self.run_due()
