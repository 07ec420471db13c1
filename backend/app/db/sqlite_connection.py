"""SQLite's connection for the asynchronous engines: few steps into its thread, none of them cut by a cancellation.

Each step costs two switches between threads, which wait for the processor where engines keep every core busy. The
driver takes six for one statement in a transaction (begin, cursor, execute, fetch, close, commit); here it is two.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import aiosqlite

READ_AHEAD = 100  # rows that come with the statement itself; a longer answer is read on in further steps


class SteadyConnection(aiosqlite.Connection):
    """Waits for each step to its end, and hands a cancellation on only then.

    A connection that was left in the middle of a statement is thrown away by the pool while its thread still holds the
    write lock: every writer then waits until the busy timeout, and fails. Statements take milliseconds, so a task is
    cancelled a moment later, mostly after its commit.

    `begin_with` names the statement that begins a transaction. It runs together with the first one that follows.
    """

    begin_with: str | None = None

    def __del__(self) -> None:
        """Closes, in its own thread, what a task left behind that was cancelled while it connected."""
        if self._connection is not None:
            self.stop()

    def cursor(self, _cursor_class: Any = None) -> Any:
        """For SQLAlchemy, which makes a new one for each statement; none is opened before it runs."""
        return Statement(self)

    def begin_if_due(self) -> None:
        """In the connection's thread, before a statement."""
        if self.begin_with is not None:
            self._conn.execute(self.begin_with)
            self.begin_with = (
                None  # not where it was refused: what follows must never run outside of a transaction
            )

    async def commit(self) -> None:
        """Nothing happens where no statement has run since the beginning."""
        self.begin_with = None
        if self._conn.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """As `commit`. The pool calls it for every connection that is given back."""
        self.begin_with = None
        if self._conn.in_transaction:
            await super().rollback()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, partial(fn, *args, **kwargs)))
        task = asyncio.current_task()
        cancelled = False
        while not future.done():
            try:
                await asyncio.wait({future})
            except asyncio.CancelledError:
                cancelled = True
                if task is not None:
                    task.uncancel()
        if cancelled and task is not None:
            task.cancel()
        return future.result()


class Statement:
    """A cursor for one statement: run and read in one step; what SQLAlchemy asks of an asynchronous one."""

    def __init__(self, connection: SteadyConnection) -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None  # only while there is more to read
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Statement:
        return self

    async def execute(self, operation: str, parameters: Any = ()) -> Statement:
        await self._connection._execute(self._run, operation, parameters)
        return self

    async def executemany(self, operation: str, parameters: Any) -> Statement:
        await self._connection._execute(self._run_many, operation, parameters)
        return self

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        wanted = self.arraysize if size is None else size
        if len(self._rows) < wanted and self._cursor is not None:
            await self._connection._execute(self._read, wanted - len(self._rows))
        taken, self._rows = self._rows[:wanted], self._rows[wanted:]
        return taken

    async def fetchall(self) -> Sequence[Any]:
        if self._cursor is not None:
            await self._connection._execute(self._read, None)
        taken, self._rows = self._rows, []
        return taken

    async def close(self) -> None:
        self._rows = []
        if self._cursor is not None:
            await self._connection._execute(self._end)

    # In the connection's thread

    def _run(self, operation: str, parameters: Any) -> None:
        self._connection.begin_if_due()
        self._cursor = self._connection._conn.execute(operation, parameters)
        self.description, self.lastrowid = self._cursor.description, self._cursor.lastrowid
        self._read(READ_AHEAD if self.description else 0)

    def _run_many(self, operation: str, parameters: Any) -> None:
        self._connection.begin_if_due()
        self._cursor = self._connection._conn.executemany(operation, parameters)
        self._end()

    def _read(self, count: int | None) -> None:
        """`count` rows more, all where it is None; the cursor goes with the last one."""
        assert self._cursor is not None
        if count is None:
            self._rows += self._cursor.fetchall()
        elif count:
            rows = self._cursor.fetchmany(count)
            self._rows += rows
            if len(rows) == count:
                return
        self._end()

    def _end(self) -> None:
        assert self._cursor is not None
        self.rowcount = self._cursor.rowcount
        self._cursor.close()
        self._cursor = None
