"""A server that starts before a mountain of work is there at once, begins at once, and does not grow."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from app.core.clock import new_id, utcnow
from app.db.session import Database
from app.models import Job, JobStatus, MediaFile, Workspace
from app.storage.keys import object_key
from tests.fixtures.app import sign_up
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
    await _until_begun(database, 1)
    first = time.monotonic() - began
    before = _memory(server)
    await _until_begun(database, BEGUN)
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


async def pile_up(database: Database, objects: Path, jobs: int) -> None:
    """Copies of the one job that is there, in its workspace and nineteen others, due for a long time."""
    async with database.system() as session:
        first = (await session.execute(sa.select(Job))).scalar_one()
        file = await session.get_one(MediaFile, first.file_id)
        workspaces = [first.workspace_id, *(new_id() for _ in range(19))]
        session.add_all(Workspace(id=one, name="Others") for one in workspaces[1:])
        await session.flush()
        files: dict[Any, Any] = {first.workspace_id: file.id}
        for one in workspaces[1:]:
            file_id = new_id()
            copy = MediaFile(
                id=file_id,
                workspace_id=one,
                filename=file.filename,
                size=file.size,
                content_type=file.content_type,
                storage_key=object_key(one, file_id, "original"),
            )
            target = objects / copy.storage_key
            target.parent.mkdir(parents=True)
            shutil.copyfile(objects / file.storage_key, target)
            session.add(copy)
            files[one] = copy.id
        await session.flush()
        now = utcnow()
        rows = [
            {
                "id": new_id(),
                "workspace_id": one,
                "file_id": files[one],
                "filename": first.filename,
                "language": "en",
                "mode": "mono",
                "vad": "auto",
                "attempt": 1,
                "fresh": True,
                "run_after": now,
                "status": JobStatus.PENDING,
            }
            for one in (workspaces[n % len(workspaces)] for n in range(jobs))
        ]
        await session.execute(sa.insert(Job), rows)


async def _until_begun(database: Database, jobs: int) -> None:
    async with asyncio.timeout(300):
        while True:
            async with database.system(read_only=True) as session:
                begun = await session.scalar(
                    sa.select(sa.func.count()).select_from(Job).where(Job.status != JobStatus.PENDING)
                )
            if (begun or 0) > jobs:  # the one that was there has been done before
                return
            await asyncio.sleep(0.05)


def _memory(server: LiveServer) -> int:
    assert server.process is not None
    return int(psutil.Process(server.process.pid).memory_info().rss)
