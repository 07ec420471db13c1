"""Rings workers up through a broker. The broker holds no work: a bell only says that there is some.

Whoever hears a bell claims in the database the job whose turn it is, so that a bell that comes twice, late or for a job
that is gone does no harm, and the order stays that of the queue. A bell that is lost is rung again by the next look.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

import sqlalchemy as sa

from app.core.background import Background
from app.db.session import Database
from app.models import Job, JobStatus
from app.services.jobs.resources import Resource, resource_of

LOOK_SECONDS = 5.0
AHEAD = 64  # bells of one resource that wait to be heard; more would only be more to lose


class Bell(Protocol):
    """A broker's queue for each resource."""

    async def unheard(self, resource: Resource) -> int:
        """How many bells nobody has heard yet. Raises what the broker's client raises while it is away."""

    async def ring(self, resource: Resource, job_id: UUID) -> None:
        """Raises as `unheard`."""

    async def close(self) -> None: ...


class Ringer:
    """The executor of a process that takes no jobs itself: as many bells hang in each queue as jobs are due.

    Any number of processes may ring: two that look at the same moment ring twice, once.
    """

    running = 0

    def __init__(self, database: Database, bell: Bell, *, backend: str) -> None:
        self._database = database
        self._bell = bell
        self._resource = resource_of(backend)
        self._looks = Background("ring_workers", self.look, every_seconds=LOOK_SECONDS)

    def start(self) -> None:
        self._looks.start()
        self._looks.wake()

    def ring(self) -> None:
        self._looks.wake()

    def interrupt(self, job_id: UUID) -> None:
        pass

    def begin_stop(self) -> None:
        pass

    async def stop(self) -> None:
        await self._looks.stop()
        await self._bell.close()

    async def look(self) -> int:
        """Ring for what is due and not rung for; answers how often it rang."""
        rung = 0
        for resource, job_ids in (await self._due()).items():
            unheard = await self._bell.unheard(resource)
            for job_id in job_ids[unheard:]:
                await self._bell.ring(resource, job_id)
                rung += 1
        return rung

    async def _due(self) -> dict[Resource, list[UUID]]:
        due: dict[Resource, list[UUID]] = {}
        async with self._database.system(read_only=True) as session:
            now = await session.database_now()
            for resource in Resource:
                rows = await session.execute(
                    sa.select(Job.id)
                    .where(
                        Job.status == JobStatus.PENDING,
                        Job.run_after <= now,
                        self._resource == resource.value,
                    )
                    .order_by(Job.run_after, Job.id)
                    .limit(AHEAD)
                )
                found = list(rows.scalars())
                if found:
                    due[resource] = found
        return due
