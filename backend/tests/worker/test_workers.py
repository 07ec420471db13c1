"""A server that takes no jobs, and workers that do: by Redis, or by looking into the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fixtures.app import sign_up
from tests.fixtures.redis import RedisServer
from tests.fixtures.server import LiveServer, MakeLiveServer
from tests.fixtures.tone_model import build, tones
from tests.fixtures.wav import write_wav
from tests.fixtures.workers import MakeWorker, celery_command
from tests.worker.test_kill import spoken, upload

LONG = 240.0
WORDS = spoken(3 * 30, seed=11)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three windows."""
    return write_wav(tmp_path / "tones.wav", tones(WORDS))


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(build(tmp_path / "tone.bin"))


async def finished(client: httpx2.AsyncClient, job_id: str) -> dict[str, Any]:
    async with asyncio.timeout(LONG):
        while True:
            job: dict[str, Any] = (await client.get(f"/api/jobs/{job_id}")).json()
            if job["status"] in ("completed", "failed", "cancelled"):
                return job
            await asyncio.sleep(0.1)


@asynccontextmanager
async def signed_in(server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with server.client() as client:
        await sign_up(client)
        yield client


@pytest.mark.parametrize("plain", [False, True], ids=["transcribe", "celery"])
async def test_celery_workers_work_on_what_the_server_takes(
    plain: bool,
    make_live_server: MakeLiveServer,
    make_worker: MakeWorker,
    redis_server: RedisServer,
    postgres_url: str,
    recording: Path,
    model: str,
) -> None:
    server = make_live_server(
        database_url=postgres_url, executor="celery", redis_url=redis_server.url, whisper_model=model
    )
    server.start(timeout=LONG)
    command = celery_command("--concurrency", "1") if plain else None
    worker = make_worker(server, command=command, max_parallel_transcriptions="1")
    async with signed_in(server) as client:
        job_id = await upload(client, recording)  # rung for before there is anybody to hear it
        worker.start()
        job = await finished(client, job_id)
        assert job["status"] == "completed", (job, worker.log()[-3000:])
        assert job["windows"]["executed"] == job["windows"]["planned"] == 3
        result = (await client.get(f"/api/jobs/{job_id}/result")).json()
        assert result["text"].split() == WORDS
    assert worker.stop() == 0, worker.log()[-3000:]
    worker.wait_childless()
    assert server.stop() == 0
