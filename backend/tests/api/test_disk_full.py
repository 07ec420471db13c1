"""The disk beneath the database is full: said as that, and nothing is half done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from app.db.away import is_away, is_full
from tests.fixtures.app import MakeApp, RunningApp, sign_up


@asynccontextmanager
async def no_room(app: RunningApp) -> AsyncIterator[None]:
    """SQLite says the same of a full disk and of a file that has as many pages as it may."""
    database = app.container.database

    async def at_most(pages: int) -> None:
        async with database.engine.connect() as writer:  # there is one connection that writes
            await writer.execute(sa.text(f"PRAGMA max_page_count = {pages}"))

    await at_most(1)  # it takes the present number for the least
    try:
        yield
    finally:
        await at_most(1 << 30)


async def test_what_needs_room_is_507_and_says_what_to_do(make_app: MakeApp) -> None:
    app = await make_app(transcription_backend="stub")
    await app.container.dispatcher.stop()
    await sign_up(app.client)
    before = []
    async with no_room(app):
        for n in range(200):  # until the last free place in the file's pages is taken
            files = {"file": (f"talk-{n}.txt", f"Hello {n}.\n".encode())}
            answer = await app.client.post("/api/transcribe", files=files, data={"prompt": "long " * 100})
            if answer.status_code != 202:
                break
            before.append(answer.json()["job_id"])
        assert answer.status_code == 507, answer.text
        error = answer.json()["error"]
        assert error["code"] == "storage_full"
        assert "Ask its operator to make space" in error["message"]
        assert (await app.client.get("/api/jobs/count")).json()["count"] == len(before)
    files = {"file": ("talk.txt", b"Hello.\n")}
    assert (await app.client.post("/api/transcribe", files=files)).status_code == 202


async def test_many_at_once_are_told_too(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = await make_app(transcription_backend="stub")
    await app.container.dispatcher.stop()
    await sign_up(app.client)
    files = {"file": ("talk.txt", b"Hello.\n")}
    job_id = (await app.client.post("/api/transcribe", files=files)).json()["job_id"]

    async def full(*_: Any) -> None:
        raise sa.exc.OperationalError("x", None, driver_error(sqlite_errorname="SQLITE_FULL"))

    monkeypatch.setitem(app.container.bulk._acts, "cancel", full)
    answer = await app.client.post("/api/jobs/bulk", json={"action": "cancel", "ids": [job_id]})
    assert answer.json()["items"][0]["code"] == "storage_full"


def driver_error(**fields: str) -> Exception:
    error = Exception("database or disk is full")
    for name, value in fields.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    ("fields", "full"),
    [
        ({"sqlite_errorname": "SQLITE_FULL"}, True),
        ({"sqlstate": "53100"}, True),
        ({"sqlite_errorname": "SQLITE_BUSY"}, False),
        ({"sqlstate": "57P01"}, False),
    ],
)
def test_a_full_disk_is_told_from_a_database_that_is_away(fields: dict[str, str], full: bool) -> None:
    error = sa.exc.DBAPIError("x", None, driver_error(**fields))
    assert (is_full(error), is_away(error)) == (full, True)  # jobs wait for both
