"""SQLite's side of the engines: pragmas, and how transactions begin."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from functools import partial
from typing import Any

import aiosqlite
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.sqlite_connection import SteadyConnection

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON")


def open_file(path: str) -> sqlite3.Connection:
    """A file that is made here is its owner's alone, and so are its journals, whose mode SQLite takes from it.

    One that was there keeps its mode: whoever runs the server may have given it to a group.
    """
    if path and not path.startswith((":memory:", "file:")):
        with contextlib.suppress(OSError):  # it is there, or SQLite says better what is wrong
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return sqlite3.connect(path)


def make_engine(url: str, *, begin: str, **pool: Any) -> AsyncEngine:
    """An engine whose transactions start with `begin`; `pool` goes to SQLAlchemy."""
    path = make_url(url).database or ":memory:"

    async def connect() -> aiosqlite.Connection:
        connection = SteadyConnection(partial(open_file, path), 64)
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
        raw = connection.connection.driver_connection
        assert isinstance(raw, SteadyConnection)
        raw.begin_with = begin

    return engine
