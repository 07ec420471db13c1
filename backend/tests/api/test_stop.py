"""A server ends in bounded time, whatever is away."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app.main import create_app
from tests.fixtures.app import build_settings, lifespan
from tests.fixtures.postgres import PostgresServer

LONG = 120.0


async def test_a_server_stops_though_its_database_is_gone(
    postgres_server: PostgresServer, postgres_template: str, tmp_path: Path
) -> None:
    name = postgres_server.create(postgres_template)
    settings = build_settings(tmp_path / "data", database_url=postgres_server.url(name))
    running = lifespan(create_app(settings))
    await running.__aenter__()
    await asyncio.to_thread(postgres_server.drop, name)
    await asyncio.sleep(0.5)  # its loops begin to find out
    async with asyncio.timeout(LONG):
        await running.__aexit__(None, None, None)
