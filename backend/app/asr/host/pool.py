"""The pool of engine processes that serves all jobs, window by window."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.asr.hearer import Start
from app.asr.host import sizing
from app.asr.host.engine_process import EngineCrashed, EngineHung, EngineProcess, ProcessStats
from app.asr.host.queue import FairQueue, Ticket
from app.asr.host.room import NoRoomError, Room
from app.asr.types import EngineSpec, Window, WindowOptions, WindowResult
from app.core.errors import JobError

__all__ = ["EngineCrashed", "EngineHung", "EnginePool", "PoolStats"]

RECYCLE_AFTER = 500
LOAD_TIMEOUT = 180.0
ROOM_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PoolStats:
    """The pool at this moment: its processes and how many windows wait."""

    processes: tuple[ProcessStats, ...]
    waiting: int
    limit: int


class _Slot:
    """A place for one process; the process comes with the first window and goes when idle."""

    def __init__(self) -> None:
        self.process: EngineProcess | None = None
        self.ticket: Ticket | None = None
        self.task: asyncio.Task[None] | None = None
        self.wake = asyncio.Event()
        self.busy = False


class EnginePool:
    """At most `processes` children, one thread each, started when needed.

    `window_timeout` counts seconds for one window of a base model, without the loading (`load_timeout`); larger models
    get more in proportion to their size. A model is loaded only where memory is free for it (`room_seconds`: how long
    to wait where nothing else can be done).
    `recycle_after` windows a child is replaced; after `idle_seconds` without work it ends. Belongs to one event loop.
    """

    def __init__(
        self,
        processes: int,
        *,
        nice: int = 10,
        window_timeout: float = 300.0,
        idle_seconds: float = 300.0,
        load_timeout: float = LOAD_TIMEOUT,
        recycle_after: int = RECYCLE_AFTER,
        room_seconds: float = ROOM_SECONDS,
    ) -> None:
        self._nice = nice
        self._window_timeout = window_timeout
        self._load_timeout = load_timeout
        self._idle_seconds = idle_seconds
        self._recycle_after = recycle_after
        self._slots = [_Slot() for _ in range(max(1, processes))]
        self._queue = FairQueue()
        self._room = Room(room_seconds)
        self._closed = False

    async def submit(
        self,
        job: str,
        spec: EngineSpec,
        options: WindowOptions,
        window: Window,
        pcm: bytes,
        on_start: Start,
    ) -> WindowResult:
        """What the engine hears in one window (`pcm`: 16 kHz mono int16, little endian).

        `on_start` is awaited when a process is ready for it, before it gets the samples; options that it returns take
        the place of `options`, an error of it is the answer. Cancelling withdraws the window, or kills the process that
        works on it. Raises JobError, EngineCrashed, EngineHung.
        """
        if self._closed:
            raise _closing()
        done: asyncio.Future[WindowResult] = asyncio.get_running_loop().create_future()
        ticket = Ticket(job, spec, options, window, pcm, on_start, done)
        self._queue.put(ticket)
        self._call_a_slot(spec)
        try:
            return await done
        except asyncio.CancelledError:
            self._queue.remove(ticket)
            await self._abandon(ticket)
            raise

    def stats(self) -> PoolStats:
        """Processes and waiting windows now."""
        processes = tuple(
            ProcessStats(
                slot.process.pid,
                slot.process.spec,
                slot.process.windows,
                slot.ticket.job if slot.ticket else None,
            )
            for slot in self._slots
            if slot.process is not None and slot.process.alive
        )
        return PoolStats(processes, len(self._queue), len(self._slots))

    async def close(self) -> None:
        """Kills all children; windows that wait or run fail with a retryable JobError."""
        self._closed = True
        for ticket in self._queue.drain():
            _fail(ticket, _closing())
        tasks = [slot.task for slot in self._slots if slot.task is not None]
        for slot in self._slots:
            if slot.ticket is not None:
                _fail(slot.ticket, _closing())
            if slot.task is not None:
                slot.task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _call_a_slot(self, spec: EngineSpec) -> None:
        """Wakes the idle slot that suits best: with this model, with any process, or empty."""
        idle = [slot for slot in self._slots if not slot.busy]
        if not idle:
            return
        slot = min(
            idle,
            key=lambda slot: (
                slot.process is None or slot.process.spec != spec,
                slot.process is not None,  # rather an empty place than to drop another model
            ),
        )
        slot.busy = True
        slot.wake.set()
        if slot.task is None or slot.task.done():
            slot.task = asyncio.create_task(self._serve(slot), name="engine-slot")

    async def _serve(self, slot: _Slot) -> None:
        """The life of a slot: work while there is some, wait, end the process when idle for long."""
        try:
            while True:
                slot.wake.clear()
                while (ticket := self._take(slot)) is not None:
                    if not await self._work(slot, ticket):
                        break
                slot.busy = False
                try:
                    async with asyncio.timeout(self._idle_seconds):
                        await slot.wake.wait()
                except TimeoutError:
                    if slot.busy:
                        continue
                    process, slot.process = slot.process, None
                    slot.task = None  # a window that comes now starts a new life
                    if process is not None:
                        await process.stop()
                    return
        finally:
            if slot.process is not None and asyncio.current_task() is slot.task:
                await self._end(slot)

    def _take(self, slot: _Slot) -> Ticket | None:
        loaded = slot.process.spec if slot.process is not None and slot.process.alive else None
        elsewhere = {
            other.process.spec
            for other in self._slots
            if other is not slot and other.process is not None and other.process.spec is not None
        }
        return self._queue.take(loaded, elsewhere)

    async def _work(self, slot: _Slot, ticket: Ticket) -> bool:
        """One ticket to its end, in a task of its own: its caller may cancel that, never the slot.

        False where it went back to the queue because this slot has no memory for a process of its own.
        """
        slot.ticket = ticket
        ticket.worker = asyncio.create_task(self._run(slot, ticket), name="engine-window")
        try:
            await asyncio.wait({ticket.worker})
        except asyncio.CancelledError:
            ticket.worker.cancel()
            await asyncio.wait({ticket.worker})
            raise
        finally:
            slot.ticket = None
        worker, ticket.worker = ticket.worker, None
        if worker.cancelled() or not isinstance(worker.exception(), NoRoomError):
            return True
        if not ticket.done.done():
            self._queue.put_back(ticket)
            if not any(other.ticket for other in self._slots):  # who was at work has just become idle
                self._call_a_slot(ticket.spec)
        return False

    async def _run(self, slot: _Slot, ticket: Ticket) -> None:
        """The ticket's way through the slot's process; ends that process where it cannot be used again."""
        try:
            process = await self._ready(slot, ticket.spec)
            options = await ticket.on_start() or ticket.options
            deadline = self._window_timeout * sizing.slowness(ticket.spec)
            result = await process.transcribe(ticket.window, ticket.pcm, options, deadline)
        except NoRoomError:
            raise
        except BaseException as error:
            spared = slot.process is not None and slot.process.idle
            if not spared:
                await self._end(slot)
            _fail(ticket, _closing() if isinstance(error, asyncio.CancelledError) else error)
            if not isinstance(error, Exception):
                raise
        else:
            if not ticket.done.done():
                ticket.done.set_result(result)

    async def _ready(self, slot: _Slot, spec: EngineSpec) -> EngineProcess:
        """The slot's process with this model loaded; a new one where it has another, is worn or gone."""
        process = slot.process
        if process is not None and (
            process.spec != spec or process.windows >= self._recycle_after or not process.alive
        ):
            await self._end(slot)
            process = None
        if process is None:
            others = [other for other in self._slots if other is not slot]
            async with self._room.for_load(
                spec,
                others_work=lambda: any(other.ticket is not None for other in others),
                make_room=lambda: self._end_an_idle_one(others),
            ):
                process = slot.process = await EngineProcess.start(nice=self._nice)
                await process.load(spec, self._load_timeout)
        return process

    async def _end_an_idle_one(self, slots: list[_Slot]) -> bool:
        """Gives back the memory of a process that has nothing to do; False where there is none."""
        for slot in slots:
            if not slot.busy and slot.process is not None:
                await self._end(slot)
                return True
        return False

    async def _end(self, slot: _Slot) -> None:
        process, slot.process = slot.process, None
        if process is not None:
            await process.kill()

    async def _abandon(self, ticket: Ticket) -> None:
        """Stops the work on a ticket whose caller is gone."""
        worker = ticket.worker
        if worker is not None and not worker.done():
            worker.cancel()
            await asyncio.wait({worker})


def _fail(ticket: Ticket, error: BaseException) -> None:
    if not ticket.done.done():
        ticket.done.set_exception(error)


def _closing() -> JobError:
    return JobError("engine_failed", "The engines are being shut down.", retryable=True)
