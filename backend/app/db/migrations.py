"""Brings the schema to the newest revision; tells whether it is there. Alembic is imported only where work is due."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.config import PROJECT_ROOT
from app.db.session import Database
from app.db.sqlite import open_file

SCRIPTS = PROJECT_ROOT / "backend" / "alembic"
KEPT_COPIES = 5
_ADVISORY_LOCK = 0x7472616E  # one migration at a time on a Postgres that several nodes share
_ASSIGNMENT = re.compile(r"^(revision|down_revision)\s*(?::[^=]*)?=\s*(.+)$", re.MULTILINE)


class MigrationError(Exception):
    """The schema cannot be brought to this code's revision; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What `upgrade` did. `before` is None for an empty database, `copy` the SQLite file kept before the change."""

    before: str | None
    after: str
    copy: Path | None

    @property
    def changed(self) -> bool:
        return self.before != self.after


@cache
def revisions() -> dict[str, str | None]:
    """Every revision of this code and the one below it, read from the files without alembic."""
    found: dict[str, str | None] = {}
    for path in sorted((SCRIPTS / "versions").glob("*.py")):
        values = {
            name: value.strip().strip("'\"") for name, value in _ASSIGNMENT.findall(path.read_text("utf-8"))
        }
        found[values["revision"]] = None if values["down_revision"] == "None" else values["down_revision"]
    return found


def head_revision() -> str:
    """The newest revision of this code."""
    known = revisions()
    heads = sorted(set(known) - set(known.values()))
    if len(heads) != 1:
        raise MigrationError(
            f"The migrations have {len(heads)} heads ({', '.join(heads)}); there has to be one."
        )
    return heads[0]


async def current_revision(database: Database) -> str | None:
    """The revision of a database, None where no migration ever ran."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_read_revision)


async def is_current(database: Database) -> bool:
    """Whether the schema is the one that this code was written for."""
    return await current_revision(database) == head_revision()


def upgrade(url: str, *, backups: Path | None = None) -> Upgrade:
    """Migrate to the head revision; `url` in SQLAlchemy's async form. Call it before an event loop runs.

    A SQLite file that holds data is copied to `backups` first (the newest five copies are kept).
    Raises `MigrationError`; a Postgres that is away raises SQLAlchemy's errors or OSError.
    """
    head = head_revision()
    file = sqlite_file(url)
    if file is None:
        return asyncio.run(_upgrade(url, head, None))
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = _revision_of_file(file)
    if before == head:
        return Upgrade(before, head, None)
    copy = None
    if before is not None and backups is not None:
        _check_known(before)
        copy = _copy(file, backups, before)
    return asyncio.run(_upgrade(url, head, copy))


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL; None for other databases and for one in memory."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or parts.database in (None, "", ":memory:"):
        return None
    return Path(str(parts.database))


async def without_foreign_keys(connection: AsyncConnection) -> None:
    """Switch SQLite's foreign keys off, before the first transaction of this connection.

    Batch migrations rebuild a table by dropping the old one; with foreign keys on, its children would go with it.
    """
    raw = await connection.get_raw_connection()
    if connection.dialect.name == "sqlite" and raw.driver_connection is not None:
        await raw.driver_connection.execute("PRAGMA foreign_keys=OFF")


async def _upgrade(url: str, head: str, copy: Path | None) -> Upgrade:
    database = Database(url)
    try:
        async with database.engine.connect() as connection:
            await without_foreign_keys(connection)
            if connection.dialect.name == "postgresql":
                await connection.execute(sa.select(sa.func.pg_advisory_lock(_ADVISORY_LOCK)))
                await connection.commit()
            before = await connection.run_sync(_read_revision)
            await connection.rollback()
            if before != head:
                _check_known(before)
                await connection.run_sync(_run_alembic)
                await connection.commit()
            await connection.invalidate()  # drops the advisory lock, and SQLite's pragma
        return Upgrade(before, head, copy)
    finally:
        await database.close()


def _run_alembic(connection: sa.Connection) -> None:
    from alembic import command  # 0.2 s that a start without migrations does not pay
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _read_revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _revision_of_file(file: Path) -> str | None:
    if not file.exists():
        return None
    with closing(sqlite3.connect(file, timeout=10)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _check_known(revision: str | None) -> None:
    if revision is not None and revision not in revisions():
        raise MigrationError(
            f"The database is at revision {revision}, which this version does not know: it was used by a newer one. "
            "Run that version again, or restore a copy from the folder `backups` of the data."
        )


def _copy(file: Path, backups: Path, revision: str) -> Path:
    backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = backups / f"transcribe-{revision}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.db"
    with closing(sqlite3.connect(file)) as source, closing(open_file(str(target))) as destination:
        source.backup(destination)
    copies = sorted(backups.glob("transcribe-*.db"), key=lambda path: path.name.rsplit("-", 1)[-1])
    for old in copies[:-KEPT_COPIES]:
        old.unlink()
    return target
