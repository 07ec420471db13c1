"""The schema goes up, down and up again, and equals the models; the programmatic upgrade keeps a copy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations

from app.core.clock import utcnow
from app.core.config import PROJECT_ROOT
from app.db import migrations
from app.db.migrations import MigrationError, head_revision, is_current, revisions, upgrade
from app.db.session import Database
from app.models import Session, User
from tests.fixtures.postgres import in_thread


def alembic(url: str, action: Any, *arguments: str) -> None:
    config = Config(PROJECT_ROOT / "alembic.ini")
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    config.set_main_option("sqlalchemy.url", url)
    in_thread(lambda: action(config, *arguments))


async def tables(url: str) -> set[str]:
    database = Database(url)
    try:
        async with database.engine.connect() as connection:
            return set(await connection.run_sync(lambda inner: sa.inspect(inner).get_table_names()))
    finally:
        await database.close()


async def test_up_down_up(empty_database_url: str) -> None:
    alembic(empty_database_url, command.upgrade, "head")
    above = await tables(empty_database_url)
    assert {"users", "jobs", "segments"} <= above
    alembic(empty_database_url, command.downgrade, "base")
    assert await tables(empty_database_url) == {"alembic_version"}
    alembic(empty_database_url, command.upgrade, "head")
    assert await tables(empty_database_url) == above


def test_models_and_migrations_agree(empty_database_url: str) -> None:
    alembic(empty_database_url, command.upgrade, "head")
    alembic(empty_database_url, command.check)


async def test_upgrade_of_an_empty_database(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    try:
        assert not await is_current(database)
        done = in_thread(lambda: upgrade(empty_database_url))
        assert (done.before, done.after, done.copy, done.changed) == (None, head_revision(), None, True)
        assert await is_current(database)
        again = in_thread(lambda: upgrade(empty_database_url))
        assert not again.changed
    finally:
        await database.close()


async def test_rebuilding_a_table_keeps_its_children(database: Database) -> None:
    """SQLite changes a table by dropping the old one: with foreign keys on, its children would go with it."""
    async with database.system() as session:
        user = User(email="ada@example.org", password_hash="x")
        session.add(user)
        await session.flush()
        session.add(Session(user_id=user.id, expires_at=utcnow()))

    def rebuild(connection: sa.Connection) -> None:
        with Operations(MigrationContext.configure(connection)).batch_alter_table(
            "users", recreate="always"
        ) as batch:
            batch.add_column(sa.Column("invented", sa.Text()))

    async with database.engine.connect() as connection:
        await migrations.without_foreign_keys(connection)
        if connection.dialect.name == "sqlite":
            await connection.run_sync(rebuild)
            await connection.commit()
        await connection.invalidate()
    async with database.system() as session:
        assert len((await session.scalars(sa.select(Session))).all()) == 1
        if session.get_bind().dialect.name == "sqlite":
            assert (await session.scalar(sa.text("PRAGMA foreign_keys"))) == 1


def migrated_file(folder: Path) -> str:
    """A SQLite database at this code's head."""
    url = f"sqlite+aiosqlite:///{folder / 'transcribe.db'}"
    in_thread(lambda: upgrade(url))
    return url


def test_a_copy_is_kept_before_the_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = migrated_file(tmp_path)
    backups = tmp_path / "backups"
    head = head_revision()
    for _ in range(migrations.KEPT_COPIES + 2):
        # The file is at `head`; a code that expects something newer has to copy before it goes on.
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "head_revision", lambda: "9999")
            done = in_thread(lambda: upgrade(url, backups=backups))
        assert done.copy is not None
        with closing(sqlite3.connect(done.copy)) as copy:
            assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (head,)
    assert len(list(backups.iterdir())) == migrations.KEPT_COPIES
    assert done.copy in backups.iterdir()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    url = migrated_file(tmp_path)
    with closing(sqlite3.connect(tmp_path / "transcribe.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'future'")
        connection.commit()
    with pytest.raises(MigrationError, match="newer"):
        in_thread(lambda: upgrade(url, backups=tmp_path / "backups"))
    assert not (tmp_path / "backups").exists()


def test_revisions_form_one_chain() -> None:
    known = revisions()
    below, seen = head_revision(), []
    while below is not None:
        seen.append(below)
        below = known[below]
    assert sorted(seen) == sorted(known)
