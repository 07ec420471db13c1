"""A loop in the background that works when it is woken, and now and then in any case."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

from app.core.ending import end
from app.core.logging import get_logger

log = get_logger(__name__)


class Background:
    """Calls `work` soon after `wake`, and every `every_seconds` (a fifth more or less); what it raises is logged.

    A wake that comes while it works makes it work once more.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[object]], *, every_seconds: float) -> None:
        self._name = name
        self._work = work
        self._every = every_seconds
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._loop())

    def wake(self) -> None:
        """There may be something to do. Safe before `start` and after `stop`."""
        self._awake.set()

    async def stop(self) -> None:
        await end(self._task)

    async def _loop(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every * random.uniform(0.8, 1.2)):  # noqa: S311 (jitter)
                    await self._awake.wait()
            self._awake.clear()
            try:
                await self._work()
            except Exception as error:
                log.warning("background_work_failed", work=self._name, error=repr(error)[:200])
