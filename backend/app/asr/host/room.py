"""Memory for one more model: checked before it is loaded, so that neither server nor neighbours pay for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from app.asr.host import sizing
from app.asr.types import EngineSpec
from app.core.errors import JobError

POLL_SECONDS = 0.25


class NoRoomError(Exception):
    """There is no memory for another process now, and processes that are at work can serve the window instead."""


class Room:
    """Admits loads of models one after the other, counting what the running ones will still take."""

    def __init__(self, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._promised = 0

    @asynccontextmanager
    async def for_load(
        self, spec: EngineSpec, *, others_work: Callable[[], bool], make_room: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[None]:
        """Holds the memory that loading `spec` takes.

        `make_room` ends an idle process and says whether there was one. Raises NoRoomError where there is no room but
        `others_work`, JobError `memory_low` where nothing else can free any: at once where the machine is too small,
        else retryable after `wait_seconds`.
        """
        sizing.check_fits(spec)
        deadline = time.monotonic() + self._wait_seconds
        while not sizing.has_room(spec, self._promised):
            if await make_room():
                continue
            if others_work():
                raise NoRoomError
            if time.monotonic() > deadline:
                raise _low(spec)
            await asyncio.sleep(POLL_SECONDS)
        needed = sizing.needed_bytes(spec)
        self._promised += needed
        try:
            yield
        finally:
            self._promised -= needed


def _low(spec: EngineSpec) -> JobError:
    needed, free = sizing.needed_bytes(spec) >> 20, sizing.available_memory() >> 20
    return JobError(
        "memory_low",
        f"There is not enough free memory for the speech engine now: it needs about {needed} MB and {free} MB are free. "
        "Free some, or choose a smaller model; the job is tried again by itself.",
        retryable=True,
    )
