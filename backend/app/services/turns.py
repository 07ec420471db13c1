"""Periodic work that several processes have in common: each piece is done once, by whoever takes its turn.

A row in the database says when a piece is due and who is at it. A process that dies in the middle loses its turn with
its lease, and another one goes on when the piece is due again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import sqlalchemy as sa

from app.core.clock import new_id
from app.core.ending import end
from app.core.logging import get_logger
from app.db.session import Database
from app.models.periodic import PeriodicTask

log = get_logger(__name__)

LEASE = timedelta(seconds=60)
RENEW_SECONDS = 20.0


class Turns:
    """One for each process. `poll_seconds`: how often a piece is asked for that somebody else is at."""

    def __init__(self, database: Database, *, poll_seconds: float = 1.0) -> None:
        self._database = database
        self._poll_seconds = poll_seconds

    async def when_due(self, name: str, every: timedelta, work: Callable[[], Awaitable[object]]) -> bool:
        """Do `work` if it is due, at most once each `every` among all processes. False where it is not, or somebody is
        at it. What it raises is raised here, and it is due again in its next turn."""
        holder = await self._take(name, every)
        if holder is None:
            return False
        async with self._kept(name, holder):
            await work()
        return True

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        """Wait until nobody else is at it, whatever is due: for work that has been asked for in this process."""
        while (holder := await self._take(name, timedelta())) is None:  # noqa: ASYNC110 (the other one may be far away)
            await asyncio.sleep(self._poll_seconds)
        async with self._kept(name, holder):
            yield

    def taken(self, name: str, work: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        """`work` as something that is done alone."""

        async def one_at_a_time() -> None:
            async with self.alone(name):
                await work()

        return one_at_a_time

    async def _take(self, name: str, every: timedelta) -> str | None:
        """The name under which it is held from now on; None where it is not to be had."""
        holder = str(new_id())
        try:
            async with self._database.system() as session:
                now = await session.database_now()
                if await session.get(PeriodicTask, name) is None:
                    session.add(PeriodicTask(name=name, due_at=now))
                    await session.flush()
                taken = await session.execute(
                    sa.update(PeriodicTask)
                    .where(
                        PeriodicTask.name == name,
                        PeriodicTask.due_at <= now,
                        sa.or_(PeriodicTask.lease_expires_at.is_(None), PeriodicTask.lease_expires_at < now),
                    )
                    .values(due_at=now + every, lease_owner=holder, lease_expires_at=now + LEASE)
                    .returning(PeriodicTask.name)
                    .execution_options(synchronize_session=False)
                )
                return holder if taken.first() is not None else None
        except sa.exc.IntegrityError:
            return None  # two made the row at once: the other one has it

    @asynccontextmanager
    async def _kept(self, name: str, holder: str) -> AsyncIterator[None]:
        """Renews the lease while the block runs, cancels the block where it is lost, and gives it back at the end."""
        block = asyncio.current_task()
        lost = False

        async def renew() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(RENEW_SECONDS)
                try:
                    lost = not await self._hold(name, holder, LEASE)
                except Exception as error:
                    log.warning("turn_not_renewed", work=name, error=repr(error)[:200])
                if lost:
                    assert block is not None
                    block.cancel()
                    return

        keeper = asyncio.create_task(renew(), name=f"turn-{name}")
        try:
            yield
        except asyncio.CancelledError:
            if not lost or block is None or block.uncancel():
                raise
            log.warning("turn_lost", work=name)
        finally:
            await end(keeper)
            with contextlib.suppress(Exception):  # it runs out by itself
                await self._hold(name, holder, None)

    async def _hold(self, name: str, holder: str, lease: timedelta | None) -> bool:
        """Longer, or with None not any more. False where somebody else has it by now."""
        async with self._database.system() as session:
            until = None if lease is None else await session.database_now() + lease
            held = await session.execute(
                sa.update(PeriodicTask)
                .where(PeriodicTask.name == name, PeriodicTask.lease_owner == holder)
                .values(lease_expires_at=until)
                .returning(PeriodicTask.name)
                .execution_options(synchronize_session=False)
            )
            return held.first() is not None
