"""Redis killed, emptied and away: jobs are only late, and the API never breaks."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.chaos.crowd import PATIENCE_SECONDS, Crowd
from tests.fixtures.redis import RedisServer
from tests.fixtures.server import MakeLiveServer
from tests.fixtures.workers import MakeWorker


@pytest.mark.parametrize(
    ("restarts", "flushes", "away_seconds"),
    [
        pytest.param(3, 1, 4, id="short"),
        pytest.param(10, 3, 60, id="long", marks=pytest.mark.long),
    ],
)
async def test_r5_redis_in_trouble_loses_nothing(
    restarts: int,
    flushes: int,
    away_seconds: float,
    make_live_server: MakeLiveServer,
    make_worker: MakeWorker,
    redis_server: RedisServer,
    postgres_url: str,
    tmp_path: Path,
    rng: random.Random,
) -> None:
    server = make_live_server(
        database_url=postgres_url,
        executor="celery",
        redis_url=redis_server.url,
        transcription_backend="stub",
        max_parallel_transcriptions=1,
        access_token_expire_minutes=60,
    )
    server.start(timeout=PATIENCE_SECONDS)
    worker = make_worker(server)
    worker.start()
    async with Crowd(server, tmp_path) as crowd:
        await crowd.write("first of all")
        await crowd.wait_for_all()  # from now on the worker is at work
        troubles = ["restart"] * restarts + ["flush"] * flushes + ["away"]
        rng.shuffle(troubles)
        for n, trouble in enumerate(troubles):
            for part in range(3):
                await crowd.write(f"trouble {n} part {part}")
            if trouble == "flush":
                redis_server.flush()
            else:
                redis_server.kill()
                await _live_without_redis(
                    crowd, away_seconds if trouble == "away" else rng.uniform(0, 0.5), n
                )
                redis_server.start()
            await asyncio.sleep(rng.uniform(0, 0.5))
        await crowd.write("last of all")
        done = await crowd.wait_for_all()
        await crowd.check_texts(done)
        assert [job["attempt"] for job in done if job["attempt"] != 1] == []
    assert worker.stop(PATIENCE_SECONDS) == 0, worker.log()[-3000:]
    assert server.stop(timeout=60) == 0


async def _live_without_redis(crowd: Crowd, seconds: float, number: int) -> None:
    """People go on: they look, and hand in what they have."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while True:
        answers = [
            await crowd.client.get(path) for path in ("/api/jobs", "/api/auth/me", "/health", "/ready")
        ]
        assert {answer.status_code for answer in answers} <= {200, 503}
        await crowd.write(f"without Redis {number} at {loop.time()}")
        if loop.time() >= until:
            return
        await asyncio.sleep(min(1.0, seconds / 4))
