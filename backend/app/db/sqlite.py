"""SQLite's side of the engines: pragmas, and how transactions begin."""

from __future__ import annotations

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


def make_engine(url: str, *, begin: str, **pool: Any) -> AsyncEngine:
    """An engine whose transactions start with `begin`; `pool` goes to SQLAlchemy."""
    path = make_url(url).database or ":memory:"

    async def connect() -> aiosqlite.Connection:
        connection = SteadyConnection(partial(sqlite3.connect, path), 64)
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
