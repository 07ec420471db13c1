"""How jobs come to be worked on: one Protocol, whoever does it. All forms end in `JobRun`, the one runner."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from app.services.jobs.bus import EventBus


class Executor(Protocol):
    """`InProcessDispatcher`, `Elsewhere`, `Ringer`, `OnCall`; the factory chooses by EXECUTOR."""

    def start(self) -> None:
        """Begin in the background; never holds up the start."""

    def ring(self) -> None:
        """There may be something to claim. Safe at any time; a lost ring costs seconds."""

    def interrupt(self, job_id: UUID) -> None:
        """A job was cancelled or deleted: stop its work at once if it runs here."""

    @property
    def running(self) -> int:
        """Jobs that this process works on now."""

    def begin_stop(self) -> None:
        """Claim nothing more and begin to hand jobs back."""

    async def stop(self) -> None:
        """Wait for the end of it. Safe to call twice."""


class Elsewhere:
    """This process takes no jobs: workers look into the database, and hear of new work at once where they can."""

    running = 0

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def start(self) -> None:
        pass

    def ring(self) -> None:
        self._bus.work()

    def interrupt(self, job_id: UUID) -> None:
        pass

    def begin_stop(self) -> None:
        pass

    async def stop(self) -> None:
        pass
