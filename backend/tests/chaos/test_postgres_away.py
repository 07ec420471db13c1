"""Postgres is stopped at once, and stays away: no job is lost or pays for it, and the API says 503, never 500."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.db.migrations import upgrade
from app.db.session import Database
from tests.chaos.ledger import WINDOW_SECONDS, Ledger, check_rows, tone_settings, write_recording
from tests.fixtures.postgres import PostgresCluster, in_thread, own_cluster
from tests.fixtures.server import MakeLiveServer
from tests.fixtures.tone_model import sequence


class Visitor:
    """Reads and creates all the time, and keeps what was answered. `ledger` has the ledger of what was accepted."""

    def __init__(self, ledger: Ledger, *, most: int) -> None:
        self._ledger = ledger
        self._most = most
        self.statuses: Counter[int] = Counter()
        self.unkind: list[str] = []

    async def __aenter__(self) -> Visitor:
        self._task = asyncio.create_task(self._visit())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def until(self, status: int) -> None:
        """Until it has been answered so once more."""
        before = self.statuses[status]
        async with asyncio.timeout(300):
            while self.statuses[status] == before:  # noqa: ASYNC110 (a counter)
                await asyncio.sleep(0.02)

    async def _visit(self) -> None:
        async with self._ledger.client() as client:
            while True:
                answers = [
                    await client.get("/api/jobs"),
                    await client.get("/health"),
                    await client.get("/ready"),
                ]
                if len(self._ledger.accepted) < self._most:
                    answers.append(await self._ledger.add(client))
                for answer in answers:
                    self._note(answer)
                await asyncio.sleep(0.05)

    def _note(self, answer: httpx2.Response) -> None:
        self.statuses[answer.status_code] += 1
        polite = answer.status_code < 500 or (
            answer.status_code == 503 and int(answer.headers.get("Retry-After", 0)) > 0
        )
        if not polite or (answer.url.path == "/health" and answer.status_code != 200):
            self.unkind.append(f"{answer.status_code} {answer.url.path} {answer.text[:200]}")


async def stop_and_see(
    make_live_server: MakeLiveServer,
    tmp_path: Path,
    rng: random.Random,
    *,
    jobs: int,
    windows: int,
    stops: int,
    away_seconds: float,
) -> None:
    with own_cluster(lasting=True) as cluster:
        url = cluster.server.url(cluster.server.create())
        in_thread(lambda: upgrade(url))
        words = sequence(windows * WINDOW_SECONDS, rng.getrandbits(32))
        settings: dict[str, Any] = tone_settings(tmp_path) | {"database_url": url}
        server = make_live_server(**settings)
        await asyncio.to_thread(server.start)
        ledger = Ledger(server)
        await ledger.sign_up()
        await ledger.upload(write_recording(tmp_path, words))
        await ledger.wait()
        async with Visitor(ledger, most=jobs) as visitor:
            for _ in range(stops):
                await visitor.until(200)
                await asyncio.sleep(rng.uniform(0, 1))
                await _away(cluster, visitor, rng.uniform(0, 0.5))
            await _away(cluster, visitor, away_seconds)
            await visitor.until(201) if len(ledger.accepted) < jobs else await visitor.until(200)
        assert not visitor.unkind, visitor.unkind
        assert visitor.statuses[503] >= stops + 1
        done = await ledger.wait()
        assert {job["status"] for job in done} == {"completed"}
        assert {job["attempt"] for job in done} == {1}, "an outage cost an attempt"
        results = await ledger.results()
        assert all(result["segments"] == results[0]["segments"] for result in results)
        assert results[0]["text"].split() == words
        assert await asyncio.to_thread(server.stop) == 0
        database = Database(url)
        await check_rows(database, ledger.accepted)
        await database.close()


async def _away(cluster: PostgresCluster, visitor: Visitor, seconds: float) -> None:
    await asyncio.to_thread(cluster.stop_at_once)
    await visitor.until(503)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(cluster.start)
    await visitor.until(200)


async def test_postgres_goes_away_a_few_times(
    make_live_server: MakeLiveServer, tmp_path: Path, rng: random.Random
) -> None:
    await stop_and_see(make_live_server, tmp_path, rng, jobs=3, windows=4, stops=2, away_seconds=3)


@pytest.mark.long
async def test_postgres_goes_away_ten_times_and_for_a_minute(
    make_live_server: MakeLiveServer, tmp_path: Path, rng: random.Random
) -> None:
    await stop_and_see(make_live_server, tmp_path, rng, jobs=24, windows=30, stops=10, away_seconds=60)
