"""Looks after rings that were lost: compares event numbers of all that is watched, in a few queries, now and then."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from app.core.ending import end
from app.core.logging import get_logger
from app.db.session import Database
from app.models import Job, Workspace
from app.services.jobs.bus import EventBus

log = get_logger(__name__)

LOOK_SECONDS = 15.0
POLL_SECONDS = 2.0  # the same while rings of other processes are not heard here
AT_ONCE = 500

Watched = tuple[UUID, UUID | None]


class Patrol:
    """One a process, however many streams are open: streams themselves look only when it rings."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database = database
        self._bus = bus
        self._known: dict[Watched, int] = {}
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        bus.on_missed.append(self._awake.set)

    def start(self) -> None:
        self._task = asyncio.create_task(self._rounds(), name="patrol")

    async def stop(self) -> None:
        await end(self._task)

    async def look(self) -> int:
        """Ring for what has moved since the last look; answers for how much. What is watched since then is rung for once
        in any case."""
        watched = self._bus.watched()
        now: dict[Watched, int] = {}
        for start in range(0, len(watched), AT_ONCE):
            now |= await self._numbers(watched[start : start + AT_ONCE])
        moved = [key for key, number in now.items() if self._known.get(key) != number]
        self._known = now
        for key in moved:
            self._bus.ring_again(*key)
        return len(moved)

    async def _numbers(self, watched: Sequence[Watched]) -> dict[Watched, int]:
        jobs = sa.select(Job.workspace_id, Job.id, Job.event_seq).where(
            Job.id.in_([job_id for _, job_id in watched if job_id is not None])
        )
        lists = sa.select(Workspace.id, sa.null(), Workspace.event_seq).where(
            Workspace.id.in_([workspace_id for workspace_id, job_id in watched if job_id is None])
        )
        found: dict[Watched, int] = {}
        async with self._database.system(read_only=True) as session:
            for query in (jobs, lists):
                for workspace_id, job_id, number in await session.execute(query):
                    found[workspace_id, job_id] = number
        return found

    async def _rounds(self) -> None:
        while True:
            seconds = LOOK_SECONDS if self._bus.hears_all else POLL_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds * random.uniform(0.8, 1.2)):  # noqa: S311 (jitter)
                    await self._awake.wait()
            self._awake.clear()
            try:
                if self._bus.watchers:
                    await self.look()
            except Exception as error:
                log.warning("patrol_cannot_look", error=repr(error)[:200])
