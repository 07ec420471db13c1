"""A start before 10,000 pending jobs of 20 workspaces (SQLite): to `/health`, to the first claim, and what the server
itself grows by over the first of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import psutil

from app.db.session import Database
from bench.figures import Figure, at_most
from bench.lab import Lab
from tests.fixtures.pending import pile_up, until_begun

JOBS = 10_000
HEALTH_SECONDS, CLAIM_SECONDS, GROWTH_MB = 2.0, 5.0, 50.0


def measure(lab: Lab) -> Iterator[Figure]:
    """One recording of half a minute, copied to every workspace."""
    server = lab.server(lab.tones)
    server.start()
    server.finish(server.upload(lab.hiss(30)), limit_seconds=600)
    server.stop()
    url = f"sqlite+aiosqlite:///{server.data_dir / 'transcribe.db'}"
    objects = server.data_dir / "storage" / "objects"
    asyncio.run(_with(url, lambda database: pile_up(database, objects, JOBS)))
    began = time.monotonic()
    health = server.start()
    asyncio.run(_with(url, lambda database: until_begun(database, 1)))
    claim = time.monotonic() - began
    before = psutil.Process(server.pid).memory_info().rss
    begun = 10 if lab.quick else 60
    asyncio.run(_with(url, lambda database: until_begun(database, begun)))
    growth = (psutil.Process(server.pid).memory_info().rss - before) / 1e6
    server.stop()
    yield at_most("Start to /health, 10,000 jobs pending", health, HEALTH_SECONDS, "s")
    yield at_most("Start to the first claim", claim, CLAIM_SECONDS, "s")
    yield at_most(f"Growth over the first {begun} jobs", growth, GROWTH_MB, "MB", digits=0)


async def _with(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    database = Database(url)
    try:
        await work(database)
    finally:
        await database.close()
