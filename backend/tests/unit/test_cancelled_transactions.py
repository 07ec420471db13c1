"""A task that is cancelled in the middle of a transaction leaves the database free for the next one."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.db.session import Database

ROUNDS = 150


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'cancelled.db'}")
    async with database.system() as session:
        await session.execute(sa.text("CREATE TABLE pairs (round INTEGER, half TEXT)"))
    return database


async def test_cancelled_writers_never_keep_the_lock(database: Database) -> None:
    chance = random.Random(1)
    insert = sa.text("INSERT INTO pairs VALUES (:round, :half)")

    async def write(number: int) -> None:
        async with database.system() as session:
            await session.execute(insert, {"round": number, "half": "first"})
            await asyncio.sleep(chance.random() * 0.002)
            await session.execute(insert, {"round": number, "half": "second"})

    for number in range(ROUNDS):
        tasks = [asyncio.create_task(write(number)) for _ in range(3)]
        await asyncio.sleep(chance.random() * 0.006)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(5):  # the busy timeout is 10 s: a lock that is left behind shows
            await write(ROUNDS + number)
    async with database.system(read_only=True) as session:
        halves = sa.text("SELECT half, count(*) FROM pairs GROUP BY half")
        counts = dict(iter((await session.execute(halves)).all()))
    assert counts["first"] == counts["second"] >= ROUNDS
    await database.close()


async def test_a_cancelled_task_still_learns_of_it(database: Database) -> None:
    async def write() -> None:
        async with database.system() as session:
            await session.execute(sa.text("SELECT 1"))
        await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await write()
    await database.close()
