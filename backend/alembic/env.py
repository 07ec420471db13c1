"""Runs migrations on SQLite and Postgres with the application's own settings, or on a connection handed in."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, text

import app.models  # noqa: F401 (registers the tables)
from app.core.config import Settings
from app.db import base as db
from app.db import row_security
from app.db.migrations import without_foreign_keys
from app.db.session import Database

LOCK_TIMEOUT = "2s"


def _render(kind: str, item: object, _context: object) -> str | bool:
    """Our own column types by name, so that a migration reads as the models do."""
    if kind == "type" and isinstance(item, db.UTCDateTime):
        return "db.UTCDateTime()"
    if kind == "type" and repr(item) == repr(db.JSONType):
        return "db.JSONType"
    return False


def _run(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        row_security.as_system_for_good(connection)
        connection.commit()
    context.configure(
        connection=connection,
        target_metadata=db.Base.metadata,
        render_as_batch=True,
        transaction_per_migration=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect() -> None:
    database = Database(context.config.get_main_option("sqlalchemy.url") or Settings.load().database_url)
    try:
        async with database.engine.connect() as connection:
            await without_foreign_keys(connection)
            await connection.run_sync(_run)
            await connection.commit()
    finally:
        await database.close()


if context.is_offline_mode():
    raise SystemExit("Offline SQL scripts are not supported: migrations look at the database's dialect.")
handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    _run(handed_in)
else:
    asyncio.run(_connect())
