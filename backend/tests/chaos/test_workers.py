"""kill -9 of Celery's children, of their parents and of all at once: nothing lost, nothing twice, the same text."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from app.db.session import Database
from app.models import Job, Transcript
from tests.chaos.crowd import PATIENCE_SECONDS, Crowd
from tests.fixtures.redis import RedisServer
from tests.fixtures.server import MakeLiveServer
from tests.fixtures.tone_model import build
from tests.fixtures.workers import MakeWorker, Worker

CHILDREN = 2  # of each worker, each with one engine process
KINDS = ("child", "parent", "all")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(build(tmp_path / "tone.bin"))


@pytest.mark.parametrize(
    ("jobs", "windows", "kills"),
    [
        pytest.param(4, 5, 4, id="short"),
        pytest.param(40, 30, 50, id="long", marks=pytest.mark.long),
    ],
)
async def test_r2_killed_workers_lose_nothing(
    jobs: int,
    windows: int,
    kills: int,
    make_live_server: MakeLiveServer,
    make_worker: MakeWorker,
    redis_server: RedisServer,
    postgres_url: str,
    tmp_path: Path,
    rng: random.Random,
    model: str,
) -> None:
    server = make_live_server(
        database_url=postgres_url,
        executor="celery",
        redis_url=redis_server.url,
        whisper_model=model,
        engine_processes=CHILDREN,
        max_parallel_transcriptions=CHILDREN,
        access_token_expire_minutes=60,
    )
    server.start(timeout=PATIENCE_SECONDS)
    workers = [make_worker(server) for _ in range(2)]
    for worker in workers:
        worker.start()
    lost_engines = 0
    async with Crowd(server, tmp_path) as crowd:
        for n in range(jobs):
            await crowd.say(windows, n)
        kinds = [KINDS[n % len(KINDS)] for n in range(kills)]
        rng.shuffle(kinds)
        for kind in kinds:
            # A job that moves forward is never punished for our kills, so let one do so in between.
            if not await crowd.wait_for_progress(await crowd.committed()):
                break
            await asyncio.sleep(rng.uniform(0, 0.5))
            lost_engines += _kill(kind, rng, workers)
        done = await crowd.wait_for_all()
        await crowd.check_texts(done)
    planned = jobs * windows
    executed = sum(job["windows"]["executed"] for job in done)
    assert lost_engines > 0
    assert planned <= executed <= planned + lost_engines
    await _nothing_twice(postgres_url, jobs)
    for worker in workers:
        assert worker.stop(PATIENCE_SECONDS) == 0, worker.log()[-3000:]
        worker.wait_childless(60)
    assert server.stop(timeout=60) == 0


def _kill(kind: str, rng: random.Random, workers: list[Worker]) -> int:
    """Answers how many engine processes may have been in the middle of a window."""
    if kind == "child":
        children = [child for worker in workers for child in worker.children()]
        if children:
            with contextlib.suppress(psutil.NoSuchProcess):
                rng.choice(children).kill()
        return 1
    struck = workers if kind == "all" else [rng.choice(workers)]
    for worker in struck:
        worker.kill()
    for worker in struck:
        worker.start()
    return CHILDREN * len(struck)


async def _nothing_twice(url: str, jobs: int) -> None:
    database = Database(url)
    async with database.system(read_only=True) as session:
        transcripts = await session.scalar(sa.select(sa.func.count()).select_from(Transcript))
        unfinished = await session.scalar(
            sa.select(sa.func.count()).select_from(Job).where(Job.transcript_id.is_(None))
        )
    await database.close()
    assert (transcripts, unfinished) == (jobs, 0)


@pytest.mark.parametrize("executor", ["database", pytest.param("celery", marks=pytest.mark.long)])
async def test_the_jobs_of_a_host_that_dies_move_to_another(
    executor: str,
    make_live_server: MakeLiveServer,
    make_worker: MakeWorker,
    request: pytest.FixtureRequest,
    postgres_url: str,
    tmp_path: Path,
    model: str,
) -> None:
    """Two hosts with folders and names of their own share one queue and the recordings; a host's jobs are taken over
    when their leases have run out, and from nobody else."""
    redis_url = request.getfixturevalue("redis_server").url if executor == "celery" else ""
    server = make_live_server(
        database_url=postgres_url,
        executor=executor,
        redis_url=redis_url,
        whisper_model=model,
        engine_processes=1,
        max_parallel_transcriptions=1,
        local_storage_dir=tmp_path / "shared",
        jwt_secret_key="k" * 40,
        node_name="server",
    )
    server.start(timeout=PATIENCE_SECONDS)
    names = ("east", "west")
    hosts = {name: make_worker(server, node_name=name, data_dir=str(tmp_path / name)) for name in names}
    for worker in hosts.values():
        worker.start()
    async with Crowd(server, tmp_path) as crowd:
        for n in range(2):
            await crowd.say(8, n)
        owners = await _until(postgres_url, lambda owners: set(owners.values()) == {"east", "west"})
        moving = next(job_id for job_id, owner in owners.items() if owner == "west")
        hosts["west"].kill()
        owners = await _until(postgres_url, lambda owners: owners.get(moving) == "east")
        done = await crowd.wait_for_all()
        await crowd.check_texts(done)
    assert sum(job["windows"]["executed"] for job in done) <= 2 * 8 + 1
    assert [job["attempt"] for job in done if job["id"] == moving] == [2]
    assert hosts["east"].stop(PATIENCE_SECONDS) == 0, hosts["east"].log()[-3000:]


async def _until(url: str, true: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    """Who holds which job, once that is so."""
    database = Database(url)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                async with database.system(read_only=True) as session:
                    rows = await session.execute(
                        sa.select(Job.id, Job.lease_owner).where(Job.lease_owner.is_not(None))
                    )
                    owners = {str(job_id): str(owner).split("|")[0] for job_id, owner in rows}
                if true(owners):
                    return owners
                await asyncio.sleep(0.1)
    finally:
        await database.close()
