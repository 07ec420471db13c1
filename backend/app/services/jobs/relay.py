"""Carries notes between processes, at most once: by Redis, by Postgres, or not at all where there is one process.

A note only says that rows have changed, so one that is lost costs the time until somebody looks. What goes out is
gathered for some hundredths of a second, and notes of the same thing become one: a burst of events never floods
Postgres, whose NOTIFY takes a lock that all commits share.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID, uuid4

from app.core.ending import end
from app.core.logging import get_logger

log = get_logger(__name__)

GATHER_SECONDS = 0.03
MAX_PENDING = 5000  # while nothing can be sent; beyond it notes are dropped
MAX_BYTES = 7000  # Postgres takes 7999
PING_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Note:
    """`ring`: rows of a job. `progress`: its percentage, `data`. `work`: something to claim. `interrupt`: stop a job.
    `removed`: a job is gone."""

    kind: Literal["ring", "progress", "work", "interrupt", "removed"]
    workspace_id: UUID | None = None
    job_id: UUID | None = None
    data: dict[str, Any] | None = None

    def packed(self) -> list[Any]:
        """As JSON has it."""
        workspace, job = (None if value is None else str(value) for value in (self.workspace_id, self.job_id))
        return [self.kind, workspace, job, self.data]

    @classmethod
    def unpacked(cls, packed: list[Any]) -> Note:
        kind, workspace, job, data = packed
        return cls(kind, UUID(workspace) if workspace else None, UUID(job) if job else None, data)


class Relay(Protocol):
    """`hears` is True while notes of all other processes arrive."""

    hears: bool

    def start(self, deliver: Callable[[Note], None], look_again: Callable[[], None]) -> None:
        """Hand notes of others to `deliver`; call `look_again` where some may have been missed."""

    def publish(self, note: Note) -> None:
        """Tell the others, soon. Never waits, never raises."""

    async def stop(self) -> None: ...


class LocalRelay:
    """One process: there is nobody else."""

    hears = True

    def start(self, deliver: Callable[[Note], None], look_again: Callable[[], None]) -> None:
        pass

    def publish(self, note: Note) -> None:
        pass

    async def stop(self) -> None:
        pass


class Wire(Protocol):
    """An open connection on which everybody hears what anybody says."""

    async def send(self, text: str) -> None: ...

    async def receive(self) -> str:
        """The next text. Raises where the connection is gone."""

    async def ping(self) -> None:
        """Raises where nobody answers."""


class WireRelay:
    """Opens a wire, and again with growing pauses whenever it breaks."""

    def __init__(self, open_wire: Callable[[], AbstractAsyncContextManager[Wire]]) -> None:
        self._open = open_wire
        self._me = uuid4().hex
        self._pending: dict[Any, Note] = {}
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.hears = False

    def start(self, deliver: Callable[[Note], None], look_again: Callable[[], None]) -> None:
        self._deliver, self._look_again = deliver, look_again
        self._task = asyncio.create_task(self._keep_open(), name="relay")

    def publish(self, note: Note) -> None:
        if len(self._pending) < MAX_PENDING:
            self._pending[note.kind, note.job_id] = note
            self._awake.set()

    async def stop(self) -> None:
        if self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                while self.hears and self._pending:  # noqa: ASYNC110 (a deadline, too)
                    await asyncio.sleep(GATHER_SECONDS)
        await end(self._task)

    async def _keep_open(self) -> None:
        pause = 0.1
        while True:
            try:
                async with self._open() as wire:
                    self.hears, pause = True, 0.1
                    self._look_again()
                    async with asyncio.TaskGroup() as both:
                        both.create_task(self._send_all(wire))
                        both.create_task(self._receive_all(wire))
            except Exception as error:
                log.warning("relay_broken", error=repr(_cause(error))[:200])
            finally:
                self.hears = False
            self._look_again()  # whoever waits for a ring begins to look by itself
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 (jitter)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _send_all(self, wire: Wire) -> None:
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._awake.wait()
            except TimeoutError:
                await _in_time(wire.ping())
                continue
            await asyncio.sleep(GATHER_SECONDS)
            self._awake.clear()
            notes, self._pending = self._pending, {}
            try:
                for text in _texts(self._me, notes.values()):
                    await _in_time(wire.send(text))
            except Exception:
                self._pending = notes | self._pending  # some may go out twice, which is harmless
                self._awake.set()
                raise

    async def _receive_all(self, wire: Wire) -> None:
        while True:
            text = await wire.receive()
            try:
                message = json.loads(text)
                notes = [] if message["from"] == self._me else [Note.unpacked(n) for n in message["notes"]]
            except (ValueError, TypeError, KeyError):
                continue  # of another version, or not ours
            for note in notes:
                self._deliver(note)


async def _in_time(work: Any) -> None:
    async with asyncio.timeout(PING_SECONDS):
        await work


def _texts(me: str, notes: Iterable[Note]) -> Iterator[str]:
    """As many notes in each text as fit."""
    rows: list[str] = []
    size = 0
    for note in notes:
        row = json.dumps(note.packed(), separators=(",", ":"))
        if rows and size + len(row) > MAX_BYTES:
            yield _text(me, rows)
            rows, size = [], 0
        rows.append(row)
        size += len(row) + 1
    if rows:
        yield _text(me, rows)


def _text(me: str, rows: list[str]) -> str:
    return f'{{"from":"{me}","notes":[{",".join(rows)}]}}'


def _cause(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
