"""Pages of event rows, read once for all who want the same one at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence

from app.services.jobs.events import Event

Page = Sequence[Event]


class SharedPages:
    """A thousand watchers of one job that are woken together cost one query.

    Only reads that are under way are shared. The caller's key has to tell rings apart: a page that was begun before a
    ring may lack the row that the ring is about.
    """

    def __init__(self) -> None:
        self._reading: dict[Hashable, asyncio.Task[Page]] = {}

    async def read(self, key: Hashable, load: Callable[[], Awaitable[Page]]) -> Page:
        """What `load` answers, or raises. A reader that goes away does not break the others' read."""
        task = self._reading.get(key)
        if task is None:
            task = asyncio.ensure_future(_run(load))
            self._reading[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    def _ended(self, key: Hashable, task: asyncio.Task[Page]) -> None:
        self._reading.pop(key, None)
        if not task.cancelled():
            task.exception()  # looked at here, too: all readers may have gone


async def _run(load: Callable[[], Awaitable[Page]]) -> Page:
    return await load()
