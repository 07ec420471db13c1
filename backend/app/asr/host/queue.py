"""Windows that wait for an engine, taken in turn from the jobs that have some."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from app.asr.hearer import Start
from app.asr.types import EngineSpec, Window, WindowOptions, WindowResult


@dataclass(eq=False, slots=True)
class Ticket:
    """One window on its way through the pool; `done` carries the result or the error."""

    job: str
    spec: EngineSpec
    options: WindowOptions
    window: Window
    pcm: bytes
    on_start: Start
    done: asyncio.Future[WindowResult]
    worker: asyncio.Task[None] | None = field(default=None)


class FairQueue:
    """Round robin over jobs; inside a job first come, first served."""

    def __init__(self) -> None:
        self._jobs: dict[str, deque[Ticket]] = {}
        self._turns: deque[str] = deque()

    def __len__(self) -> int:
        return sum(len(tickets) for tickets in self._jobs.values())

    def put(self, ticket: Ticket) -> None:
        if ticket.job not in self._jobs:
            self._jobs[ticket.job] = deque()
            self._turns.append(ticket.job)
        self._jobs[ticket.job].append(ticket)

    def put_back(self, ticket: Ticket) -> None:
        """A ticket that could not be served after all: the next one out."""
        if ticket.job in self._jobs:
            self._turns.remove(ticket.job)
        self._jobs.setdefault(ticket.job, deque()).appendleft(ticket)
        self._turns.appendleft(ticket.job)

    def take(self, loaded: EngineSpec | None, elsewhere: Collection[EngineSpec]) -> Ticket | None:
        """The next ticket for a process that has `loaded`.

        A job whose model some other process has loaded is passed over once for one that needs no new model here.
        """
        if not self._turns:
            return None
        turn = self._turns[0]
        if (
            loaded is not None
            and self._jobs[turn][0].spec != loaded
            and self._jobs[turn][0].spec in elsewhere
        ):
            turn = next((job for job in self._turns if self._jobs[job][0].spec == loaded), turn)
        ticket = self._jobs[turn].popleft()
        self._turns.remove(turn)
        if self._jobs[turn]:
            self._turns.append(turn)
        else:
            del self._jobs[turn]
        return ticket

    def remove(self, ticket: Ticket) -> None:
        """Withdraws a ticket that has not been taken; nothing happens where it has."""
        tickets = self._jobs.get(ticket.job)
        if tickets is None or ticket not in tickets:
            return
        tickets.remove(ticket)
        if not tickets:
            del self._jobs[ticket.job]
            self._turns.remove(ticket.job)

    def drain(self) -> list[Ticket]:
        """All tickets, taken out."""
        tickets = [ticket for waiting in self._jobs.values() for ticket in waiting]
        self._jobs.clear()
        self._turns.clear()
        return tickets
