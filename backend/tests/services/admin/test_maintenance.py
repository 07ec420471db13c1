"""Periodic work is done once by all processes together, and goes on when one of them dies in the middle."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.db.session import Database
from app.models import PeriodicTask
from app.services import turns as turns_module
from app.services.admin.maintenance import Maintenance, Step
from app.services.turns import Turns

LONG_AGO = timedelta(hours=1)


async def let_it_be_due(database: Database, **values: object) -> None:
    async with database.system() as session:
        await session.execute(sa.update(PeriodicTask).values(due_at=utcnow() - LONG_AGO, **values))


class Work:
    """Counts how often it ran, and whether it ever ran beside itself."""

    def __init__(self) -> None:
        self.runs = self.at_once = self.most_at_once = 0

    async def __call__(self) -> None:
        self.runs += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.05)
        self.at_once -= 1


async def test_many_processes_do_each_piece_once(database: Database) -> None:
    works = {name: Work() for name in ("expire_uploads", "retention")}
    own = Work()
    steps = [
        *(Step(name, work) for name, work in works.items()),
        Step("sweep_scratch", own, shared=False),
    ]
    processes = [Maintenance(steps, Turns(database)) for _ in range(4)]
    for round_ in (1, 2):
        await asyncio.gather(*(process.run_due() for process in processes))
        await asyncio.gather(*(process.run_due() for process in processes))
        assert [(work.runs, work.most_at_once) for work in works.values()] == [(round_, 1)] * 2
        assert own.runs == len(processes)  # each looks after its own disk
        await let_it_be_due(database)


async def test_a_turn_of_a_dead_process_is_taken_over_when_its_lease_is_out(database: Database) -> None:
    turns, work = Turns(database), Work()
    dead = asyncio.Event()

    async def dies() -> None:
        dead.set()
        await asyncio.Event().wait()

    dying = asyncio.create_task(turns.when_due("retention", timedelta(minutes=10), dies))
    await dead.wait()
    await let_it_be_due(database)
    assert not await turns.when_due("retention", timedelta(minutes=10), work), (
        "it was taken from a living one"
    )
    await let_it_be_due(database, lease_expires_at=utcnow() - LONG_AGO)
    assert await turns.when_due("retention", timedelta(minutes=10), work)
    assert work.runs == 1
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    async with database.system(read_only=True) as session:
        task = await session.get_one(PeriodicTask, "retention")
    assert task.due_at > utcnow(), "who had lost it moved it all the same"


async def test_who_loses_a_turn_stops(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "RENEW_SECONDS", 0.01)
    turns, began, finished = Turns(database), asyncio.Event(), False

    async def slow() -> None:
        nonlocal finished
        began.set()
        await asyncio.sleep(60)
        finished = True

    slow_one = asyncio.create_task(turns.when_due("retention", timedelta(minutes=10), slow))
    await began.wait()
    async with database.system() as session:
        await session.execute(sa.update(PeriodicTask).values(lease_owner="somebody else"))
    async with asyncio.timeout(30):
        assert await slow_one
    assert not finished


async def test_a_step_that_fails_holds_up_no_other_and_comes_again(database: Database) -> None:
    tries, work = 0, Work()

    async def fails() -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("no")

    process = Maintenance([Step("expire_uploads", fails), Step("retention", work)], Turns(database))
    await process.run_due()
    await let_it_be_due(database)
    await process.run_due()
    assert (tries, work.runs) == (2, 2)


async def test_work_that_was_asked_for_waits_until_nobody_else_is_at_it(database: Database) -> None:
    work = Work()
    processes = [Turns(database, poll_seconds=0.01).taken("archive_texts", work) for _ in range(4)]
    await asyncio.gather(*(process() for process in processes))
    assert (work.runs, work.most_at_once) == (4, 1), "each was asked for, one at a time"
