"""Rings cross from one process's bus to another's, over each wire; a wire that breaks is missed, and mended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest

from app.core.clock import new_id
from app.db.session import Database
from app.models import Job
from app.services.jobs.bus import MAX_PROGRESS, MAX_REMOVED, EventBus
from app.services.jobs.events import append_status
from app.services.jobs.patrol import Patrol
from app.services.jobs.relay import MAX_BYTES, Note, WireRelay, _texts
from app.services.jobs.wires import postgres_wire, redis_wire
from tests.fixtures.jobs import add_job, add_workspace
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.redis import RedisServer

LONG = 60.0


@asynccontextmanager
async def buses(make: Callable[[], WireRelay], count: int = 2) -> AsyncIterator[list[EventBus]]:
    """As many processes would have them; all hear each other."""
    async with AsyncExitStack() as stack:
        made = [EventBus(make()) for _ in range(count)]
        for bus in made:
            bus.start()
            stack.push_async_callback(bus.stop)
        await until(lambda: all(bus.hears_all for bus in made))
        yield made


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG):
        while not true():  # noqa: ASYNC110 (a deadline, too)
            await asyncio.sleep(0.02)


@pytest.fixture(params=["redis", "postgres"])
def make_relay(request: pytest.FixtureRequest) -> Callable[[], WireRelay]:
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        return lambda: WireRelay(partial(redis_wire, server.url))
    url: str = request.getfixturevalue("postgres_url")
    options = Database(url).driver_options()
    return lambda: WireRelay(partial(postgres_wire, options))


async def test_notes_cross(make_relay: Callable[[], WireRelay]) -> None:
    workspace, job, other = new_id(), new_id(), new_id()
    worked: list[str] = []
    stopped: list[object] = []
    async with buses(make_relay) as (here, there):
        there.on_work.append(lambda: worked.append("there"))
        there.on_interrupt.append(stopped.append)
        with (
            there.watch(workspace, job) as watcher,
            there.watch(workspace, None) as lister,
            there.watch(other, None) as stranger,
        ):
            here.ring(workspace, job)
            assert await watcher.wait(LONG)
            assert await lister.wait(LONG)
            report = {"job_id": str(job), "progress": 0.5, "stage": "transcribing", "eta_seconds": 7}
            here.progress(workspace, report)
            assert await watcher.wait(LONG)
            assert watcher.take_progress() == [report]
            here.removed(workspace, job)
            await until(lambda: watcher.dismissed)
            assert lister.take_removed() == ([job], False)
            assert not lister.dismissed
            assert not await stranger.wait(0)
        here.work()
        here.interrupt(job)
        await until(lambda: worked == ["there"] and stopped == [job])


async def test_a_burst_arrives_whole_in_texts_that_fit(make_relay: Callable[[], WireRelay]) -> None:
    """Postgres takes no text of 8000 bytes, and a note lost here would be one that nobody looks for."""
    workspace, jobs = new_id(), [new_id() for _ in range(400)]
    async with buses(make_relay) as (here, there), AsyncExitStack() as stack:
        watchers = [stack.enter_context(there.watch(workspace, job)) for job in jobs]
        for job in jobs:
            here.ring(workspace, job)
        for watcher in watchers:
            assert await watcher.wait(LONG)


async def test_a_list_that_nobody_reads_keeps_no_more_deletions_than_one_request_makes() -> None:
    workspace, bus = new_id(), EventBus()
    jobs = [new_id() for _ in range(MAX_REMOVED + 1)]
    with bus.watch(workspace, None) as lister:
        for job in jobs:
            bus.removed(workspace, job)
        assert lister.take_removed() == (jobs[:-1], True)
        assert lister.take_removed() == ([], False)


def test_texts_are_bounded_and_hold_every_note() -> None:
    notes = [Note("ring", new_id(), new_id()) for _ in range(300)]
    texts = list(_texts("me", notes))
    assert len(texts) > 1
    assert max(map(len, texts)) <= MAX_BYTES + 100
    assert sum(text.count('["ring"') for text in texts) == 300


async def test_redis_goes_and_comes_back(redis_server: RedisServer) -> None:
    workspace, job = new_id(), new_id()
    async with buses(lambda: WireRelay(partial(redis_wire, redis_server.url))) as (here, there):
        missed = asyncio.Event()
        there.on_missed.append(missed.set)
        with there.watch(workspace, job) as watcher:
            redis_server.kill()
            async with asyncio.timeout(LONG):
                await missed.wait()
            await until(lambda: not there.hears_all and not here.hears_all)
            here.ring(workspace, job)  # kept until somebody can hear it
            redis_server.start()
            await until(lambda: there.hears_all and here.hears_all)
            before = watcher.rings
            here.ring(workspace, job)
            await until(lambda: watcher.rings > before)


async def test_postgres_goes_and_comes_back(postgres_server: PostgresServer, postgres_url: str) -> None:
    options = Database(postgres_url).driver_options()
    workspace, job = new_id(), new_id()
    async with buses(lambda: WireRelay(partial(postgres_wire, options))) as (here, there):
        missed = asyncio.Event()
        there.on_missed.append(missed.set)
        with there.watch(workspace, job) as watcher:
            postgres_server.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{options['database']}'"
            )
            async with asyncio.timeout(LONG):
                await missed.wait()
            await until(lambda: there.hears_all and here.hears_all)
            before = watcher.rings
            here.ring(workspace, job)
            await until(lambda: watcher.rings > before)


def test_a_reader_that_does_not_read_keeps_a_bounded_number_of_percentages() -> None:
    bus, workspace = EventBus(), new_id()
    with bus.watch(workspace, None) as watcher:
        for n in range(10 * MAX_PROGRESS):
            bus.progress(workspace, {"job_id": str(new_id()), "progress": n})
        taken = watcher.take_progress()
    assert len(taken) == MAX_PROGRESS
    assert taken[-1]["progress"] == 10 * MAX_PROGRESS - 1
    assert bus.watchers == 0


async def test_a_lost_ring_is_found_by_looking_at_the_numbers(database: Database) -> None:
    bus, workspace = EventBus(), await add_workspace(database)
    patrol = Patrol(database, bus)
    job_id, other = await add_job(database, workspace), await add_job(database, workspace)
    with bus.watch(workspace, job_id) as watcher, bus.watch(workspace, None) as lister:
        assert await patrol.look() == 2  # who has just come may have missed something
        assert await patrol.look() == 0
        await watcher.wait(0)
        await lister.wait(0)
        async with database.system() as session:  # as another process does whose ring is lost
            await append_status(session, EventBus(), await session.get_one(Job, job_id))
        assert await patrol.look() == 2
        assert await watcher.wait(0)
        assert await lister.wait(0)
        async with database.system() as session:
            await append_status(session, EventBus(), await session.get_one(Job, other))
        assert await patrol.look() == 1
        assert not await watcher.wait(0)
        assert await lister.wait(0)
    assert await patrol.look() == 0
