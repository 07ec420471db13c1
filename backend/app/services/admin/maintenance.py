"""Periodic work of every process: uploads that were left, orphaned temporary files. Each step is safe to run twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from app.core.logging import get_logger

log = get_logger(__name__)

EVERY_SECONDS = 600.0

Step = Callable[[], Awaitable[object]]


class Maintenance:
    """Runs `steps` one after another, now and then; a step that fails is logged and tried again next time."""

    def __init__(self, steps: Sequence[tuple[str, Step]], *, every_seconds: float = EVERY_SECONDS) -> None:
        self._steps = steps
        self._every = every_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._loop())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run_once(self) -> None:
        for name, step in self._steps:
            try:
                await step()
            except Exception as error:
                log.warning("maintenance_step_failed", step=name, error=repr(error)[:200])

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(self._every * random.uniform(0.8, 1.2))  # noqa: S311 (jitter, not a secret)
            await self.run_once()
