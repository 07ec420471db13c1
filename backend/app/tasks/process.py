"""The container of a worker's process, on an event loop in a thread of its own.

Heartbeats, engines and the bus go on whatever Celery does in the main thread. Built when the first job comes or, in a
pool of processes, when a process begins; never before the pool has forked.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from app.core.config import Settings
from app.core.logging import get_logger
from app.factory import Container, Role, build_container
from app.services.jobs.resources import Resource

log = get_logger(__name__)

T = TypeVar("T")

CLOSE_SECONDS = 40.0


class WorkerProcess:
    """`share` is how many processes of this machine share its engines."""

    def __init__(self, settings: Settings, resources: Collection[Resource], *, share: int = 1) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="worker-loop", daemon=True)
        self._thread.start()
        self._container = self._call(_open(settings, resources, share))

    def call(self, work: Callable[[Container], Awaitable[T]]) -> T:
        """Run `work` on the loop and wait for its end. Raises what it raises."""
        return self._call(work(self._container))

    def begin_stop(self) -> None:
        """Hand running jobs back; safe in a signal handler."""
        self._loop.call_soon_threadsafe(self._container.begin_stop)

    def close(self) -> None:
        """End everything that this process started."""
        try:
            asyncio.run_coroutine_threadsafe(self._container.close(), self._loop).result(CLOSE_SECONDS)
        except Exception as error:
            log.warning("worker_closed_badly", error=repr(error)[:200])
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _call(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()


async def _open(settings: Settings, resources: Collection[Resource], share: int) -> Container:
    container = build_container(settings, Role.WORKER, resources=resources, share=share)
    await container.start()
    return container
