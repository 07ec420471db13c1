"""SQLite's side of the engines: pragmas, one writer, and statements that a cancelled task never cuts."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import aiosqlite
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON")


class UncutConnection(aiosqlite.Connection):
    """Waits for each statement to its end, and hands a cancellation on only then.

    A connection that was left in the middle of a statement is thrown away by the pool while its thread still holds the
    write lock: every writer then waits until the busy timeout, and fails. Statements take milliseconds, so a task is
    cancelled a moment later, mostly after its commit.
    """

    def __del__(self) -> None:
        """Closes, in its own thread, what a task left behind that was cancelled while it connected."""
        if self._connection is not None:
            self.stop()

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


def make_engine(url: str, *, begin: str, **pool: Any) -> AsyncEngine:
    """An engine whose transactions start with `begin`; `pool` goes to SQLAlchemy."""
    path = make_url(url).database or ":memory:"

    async def connect() -> aiosqlite.Connection:
        connection = UncutConnection(partial(sqlite3.connect, path), 64)
        connection._thread.daemon = (
            True  # as SQLAlchemy's own dialect has it: never hold up the end of the process
        )
        return await connection

    engine = create_async_engine(url, async_creator=connect, hide_parameters=True, **pool)

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not open transactions by itself
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
