"""A server that starts before a mountain of work is there at once, begins at once, and does not grow."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psutil
import sqlalchemy as sa

from app.db.session import Database
from app.models import Job
from tests.fixtures.app import sign_up
from tests.fixtures.pending import pile_up, until_begun
from tests.fixtures.server import LiveServer, MakeLiveServer

PENDING = 10_000
GROWTH_BYTES = 80 << 20
BEGUN = 60


async def test_ten_thousand_pending_jobs_at_start_up(
    make_live_server: MakeLiveServer, tmp_path: Path
) -> None:
    """The promise is 2 s to /health and 5 s to the first claim (`make bench ARGS=pending` measures them); the deadlines
    here are those of a slow machine."""
    server = make_live_server(transcription_backend="stub")
    await asyncio.to_thread(server.start)
    async with server.client() as client:
        await sign_up(client)
        sent = await client.post("/api/transcribe", files={"file": ("talk.txt", b"Nothing is lost.")})
        assert sent.status_code == 202, sent.text
    assert server.stop() == 0
    database = Database(server.settings.database_url)
    await pile_up(database, server.settings.storage_dir / "objects", PENDING)

    began = time.monotonic()
    await asyncio.to_thread(server.start)
    healthy = time.monotonic() - began
    await until_begun(database, 1)
    first = time.monotonic() - began
    before = _memory(server)
    await until_begun(database, BEGUN)
    growth = _memory(server) - before
    print(f"/health {healthy:.2f} s, first claim {first:.2f} s, growth {growth >> 20} MiB")
    assert healthy < 20
    assert first < 60
    assert growth < GROWTH_BYTES
    assert server.stop() == 0
    async with database.system(read_only=True) as session:
        jobs = await session.scalar(sa.select(sa.func.count()).select_from(Job))
    assert jobs == PENDING + 1
    await database.close()


def _memory(server: LiveServer) -> int:
    assert server.process is not None
    return int(psutil.Process(server.process.pid).memory_info().rss)
