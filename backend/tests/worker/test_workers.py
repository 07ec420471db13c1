"""A server that takes no jobs, and workers that do: by Redis, or by looking into the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.factory import Role, build_container
from app.services.jobs.dispatcher import InProcessDispatcher
from app.services.jobs.resources import Resource
from tests.fixtures.app import MakeApp, sign_up
from tests.fixtures.redis import RedisServer
from tests.fixtures.server import LiveServer, MakeLiveServer
from tests.fixtures.tone_model import build, sequence, tones
from tests.fixtures.wav import write_wav
from tests.fixtures.workers import MakeWorker, celery_command
from tests.worker.test_kill import upload

LONG = 240.0
WORDS = sequence(3 * 30, seed=11)


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


@pytest.mark.parametrize("executor", ["database", "celery"])
async def test_sigterm_hands_the_job_back_without_an_attempt(
    executor: str,
    request: pytest.FixtureRequest,
    make_live_server: MakeLiveServer,
    make_worker: MakeWorker,
    postgres_url: str,
    tmp_path: Path,
    model: str,
) -> None:
    redis_url = request.getfixturevalue("redis_server").url if executor == "celery" else ""
    server = make_live_server(
        database_url=postgres_url,
        executor=executor,
        redis_url=redis_url,
        whisper_model=model,
        max_parallel_transcriptions=1,
    )
    server.start(timeout=LONG)
    words = sequence(6 * 30, seed=5)
    worker = make_worker(server)
    worker.start()
    async with signed_in(server) as client:
        job_id = await upload(client, write_wav(tmp_path / "long.wav", tones(words)))
        async with asyncio.timeout(LONG):
            while (await client.get(f"/api/jobs/{job_id}")).json()["windows"]["committed"] < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await asyncio.to_thread(worker.stop, LONG) == 0, worker.log()[-3000:]
        worker.wait_childless()
        job = (await client.get(f"/api/jobs/{job_id}")).json()
        assert (job["status"], job["attempt"]) == ("pending", 1), worker.log()[-3000:]
        worker.start()
        job = await finished(client, job_id)
        assert (job["status"], job["attempt"]) == ("completed", 1)
        assert job["windows"]["executed"] == job["windows"]["planned"] == 6
        text = (await client.get(f"/api/jobs/{job_id}/result")).json()["text"]
        assert text.split() == words


async def test_a_worker_of_links_only_brings_recordings_and_leaves_them_to_others(
    make_app: MakeApp, postgres_url: str
) -> None:
    """What is heard where is decided by the queue, so a worker that fetches must let go of what it has brought."""
    running = await make_app(database_url=postgres_url, executor="database")
    settings = running.settings
    for names, fetches_only in ((["media"], True), (["media", "fast"], True), (["media", "cpu"], False)):
        container = build_container(settings, Role.WORKER, resources=[Resource(name) for name in names])
        dispatcher = container.dispatcher
        assert isinstance(dispatcher, InProcessDispatcher)
        assert dispatcher._parts.fetch_only is fetches_only
        await container.close()


def test_a_worker_beside_a_server_that_works_itself_says_so(
    make_live_server: MakeLiveServer, make_worker: MakeWorker
) -> None:
    worker = make_worker(make_live_server())
    worker.start()
    assert worker.process is not None
    assert worker.process.wait(LONG) == 2
    assert "EXECUTOR=inprocess" in worker.log()


def test_workers_need_postgres(make_live_server: MakeLiveServer, make_worker: MakeWorker) -> None:
    worker = make_worker(make_live_server(executor="database"))
    worker.start()
    assert worker.process is not None
    assert worker.process.wait(LONG) == 2
    assert "needs Postgres" in worker.log()
