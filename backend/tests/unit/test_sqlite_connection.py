"""SQLite's connection: steps into its thread are few, answers are whole, transactions begin with their first statement."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.db.session import Database
from app.db.sqlite_connection import READ_AHEAD, SteadyConnection

COUNTS = (0, 1, READ_AHEAD - 1, READ_AHEAD, READ_AHEAD + 1, 5 * READ_AHEAD + 7)
NUMBERS = sa.text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
    " SELECT i FROM n WHERE :count > 0"
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'steps.db'}")
    async with database.system() as session:
        await session.execute(sa.text("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)"))
    yield database
    await database.close()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., Any]]:
    """What is done in the connection's thread."""
    seen: list[Callable[..., Any]] = []
    plain = SteadyConnection._execute

    async def note(self: SteadyConnection, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        seen.append(fn)
        return await plain(self, fn, *args, **kwargs)

    monkeypatch.setattr(SteadyConnection, "_execute", note)
    return seen


@pytest.mark.parametrize("count", COUNTS)
async def test_answers_of_any_length_are_whole(database: Database, count: int) -> None:
    async with database.system(read_only=True) as session:
        at_once = (await session.execute(NUMBERS, {"count": count})).scalars().all()
        streamed = await session.stream(NUMBERS, {"count": count}, execution_options={"yield_per": 40})
        assert at_once == [row[0] async for row in streamed] == list(range(1, count + 1))


async def test_a_transaction_of_one_statement_takes_two_steps(
    database: Database, steps: list[Callable[..., Any]]
) -> None:
    async with database.system(read_only=True) as session:
        await session.execute(sa.text("SELECT 1"))
    steps.clear()  # the first connection sets itself up
    async with database.system(read_only=True) as session:
        assert await session.scalar(sa.text("SELECT count(*) FROM things")) == 0
    assert len(steps) == 2


async def test_nothing_happens_in_an_empty_transaction(
    database: Database, steps: list[Callable[..., Any]]
) -> None:
    async with database.system() as session:
        await session.connection()
    assert steps == []


async def test_a_writer_holds_the_lock_from_its_first_statement(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "steps.db", timeout=0, isolation_level=None)
    async with database.system() as session:
        await session.execute(sa.text("SELECT 1"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


async def test_a_beginning_that_was_refused_is_due_again(database: Database, tmp_path: Path) -> None:
    """Whoever catches the error and goes on must not write outside of a transaction."""
    other = sqlite3.connect(tmp_path / "steps.db", isolation_level=None)
    insert = sa.text("INSERT INTO things VALUES (1, 'alone')")
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=0")
        await connection.rollback()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            await connection.execute(insert)
        other.execute("ROLLBACK")
        await connection.execute(insert)
        await connection.rollback()
    other.close()
    async with database.system(read_only=True) as session:
        assert await session.scalar(sa.text("SELECT count(*) FROM things")) == 0


async def test_what_fails_is_undone_and_the_connection_goes_on(database: Database) -> None:
    insert = sa.text("INSERT INTO things VALUES (:id, :name)")

    async def write_twice() -> None:
        async with database.system() as session:
            await session.execute(insert, {"id": 1, "name": "kept by nobody"})
            await session.execute(insert, {"id": 1, "name": "twice"})

    with pytest.raises(sa.exc.IntegrityError):
        await write_twice()
    async with database.system() as session:
        assert await session.scalar(sa.text("SELECT count(*) FROM things")) == 0
        done = await session.execute(insert, [{"id": n, "name": "many"} for n in range(300)])
        assert isinstance(done, sa.CursorResult)
        assert done.rowcount == 300
        async with session.begin_nested() as inner:
            await session.execute(insert, {"id": 999, "name": "inner"})
            await inner.rollback()
        renamed = await session.execute(sa.text("UPDATE things SET name = 'new' RETURNING id"))
        assert sorted(renamed.scalars()) == list(range(300))
    async with database.system(read_only=True) as session:
        assert await session.scalar(sa.text("SELECT count(*) FROM things WHERE name = 'new'")) == 300
