"""What the server makes for its data is its owner's alone; what was there keeps its mode."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.core.secrets import _read_or_make
from app.db import migrations
from app.db.session import Database


@pytest.fixture(autouse=True)
def usual_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def journals(url: str, folder: Path) -> dict[str, int]:
    """The modes of all files while the database is open and written to."""
    database = Database(url)
    try:
        async with database.system() as session:
            await session.execute(sa.text("UPDATE workspaces SET name = name"))
        async with database.system(read_only=True) as session:
            await session.execute(sa.text("SELECT 1"))
            return {path.name: mode(path) for path in folder.iterdir() if path.is_file()}
    finally:
        await database.close()


def url_in(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder}/transcribe.db"


def test_a_new_folder_and_its_database_are_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    migrations.upgrade(url_in(folder))
    assert mode(folder) == 0o700
    modes = asyncio.run(journals(url_in(folder), folder))
    assert modes == dict.fromkeys(("transcribe.db", "transcribe.db-wal", "transcribe.db-shm"), 0o600)


def test_a_copy_before_a_migration_is_never_open_to_others(tmp_path: Path) -> None:
    migrations.upgrade(url_in(tmp_path))
    backups = tmp_path / "backups"
    backups.mkdir(mode=0o755)
    copy = migrations._copy(tmp_path / "transcribe.db", backups, "0001")
    assert (mode(copy), mode(backups)) == (0o600, 0o755)


def test_a_folder_and_a_file_that_were_there_keep_their_modes(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    file = folder / "transcribe.db"
    file.touch(mode=0o640)
    migrations.upgrade(url_in(folder))
    assert (mode(folder), mode(file)) == (0o755, 0o640)


def test_the_secret_that_comes_first_makes_the_folder_as_narrow(tmp_path: Path) -> None:
    _read_or_make(tmp_path / "data" / "secret")
    assert mode(tmp_path / "data") == 0o700
