"""As many bells hang in each queue as jobs are due; what is lost is rung again, and nothing hangs on any of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.core.clock import new_id, utcnow
from app.db.session import Database
from app.models import Job, JobStatus, MediaFile, SpeakerState
from app.services.jobs import bells
from app.services.jobs.bells import AHEAD, Ringer
from app.services.jobs.on_call import DEAF_AFTER, OnCall
from app.services.jobs.resources import Resource
from tests.fixtures.jobs import add_job, add_workspace, read_job
from tests.fixtures.runs import Bench, FakeDecoder, FakePool, said, windows_of


class FakeBell:
    """A broker that keeps bells until `hear`; `away` makes it raise."""

    def __init__(self) -> None:
        self.hanging: dict[Resource, list[UUID]] = defaultdict(list)
        self.away = False

    async def unheard(self, resource: Resource) -> int:
        self._check()
        return len(self.hanging[resource])

    async def ring(self, resource: Resource, job_id: UUID) -> None:
        self._check()
        self.hanging[resource].append(job_id)

    async def close(self) -> None:
        pass

    def _check(self) -> None:
        if self.away:
            raise ConnectionError

    def names(self) -> dict[str, int]:
        return {str(resource): len(found) for resource, found in self.hanging.items() if found}


@pytest.fixture
def bell() -> FakeBell:
    return FakeBell()


@pytest.fixture
def ringer(database: Database, bell: FakeBell) -> Ringer:
    return Ringer(database, bell, backend="auto")


async def test_it_rings_once_for_what_is_due_and_again_for_what_was_lost(
    database: Database, ringer: Ringer, bell: FakeBell
) -> None:
    workspace = await add_workspace(database)
    first = await add_job(database, workspace)
    await add_job(database, workspace, run_after=utcnow() + timedelta(hours=1))
    assert await ringer.look() == 1
    assert bell.hanging[Resource.CPU] == [first]
    assert await ringer.look() == 0
    bell.hanging.clear()  # Redis was emptied
    assert await ringer.look() == 1
    await add_job(database, workspace)
    assert await ringer.look() == 1
    assert bell.names() == {"cpu": 2}


async def test_a_broker_that_is_away_costs_nothing_but_time(
    database: Database, ringer: Ringer, bell: FakeBell
) -> None:
    await add_job(database, await add_workspace(database))
    bell.away = True
    with pytest.raises(ConnectionError):
        await ringer.look()
    bell.away = False
    assert await ringer.look() == 1


async def test_a_flood_of_jobs_is_no_flood_of_bells(
    database: Database, ringer: Ringer, bell: FakeBell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "AHEAD", 5)
    workspace = await add_workspace(database)
    for _ in range(12):
        await add_job(database, workspace)
    for _ in range(3):
        await ringer.look()
    assert bell.names() == {"cpu": 5}
    assert AHEAD > 5


KINDS: list[tuple[dict[str, Any], str]] = [
    ({}, "cpu"),
    ({"requested_engine": "whisper_cpp"}, "cpu"),
    ({"requested_engine": "assemblyai"}, "net"),
    ({"requested_engine": "stub"}, "fast"),
    ({"file_id": None, "source_url": "https://example.org/talk.mp3"}, "media"),
    ({"plan_complete": True, "windows_planned": 2, "windows_committed": 2}, "fast"),
    ({"plan_complete": True, "windows_planned": 2, "windows_committed": 1}, "cpu"),
    (
        {
            "plan_complete": True,
            "windows_planned": 2,
            "windows_committed": 2,
            "speaker_state": SpeakerState.PENDING,
        },
        "cpu",
    ),
]


@pytest.mark.parametrize(("fields", "queue"), KINDS)
async def test_each_job_rings_in_the_queue_of_what_it_needs(
    fields: dict[str, Any], queue: str, database: Database, ringer: Ringer, bell: FakeBell
) -> None:
    await add_job(database, await add_workspace(database), **fields)
    await ringer.look()
    assert bell.names() == {queue: 1}


def on_call(
    database: Database,
    folder: Path,
    ringer: Ringer,
    resources: Collection[Resource] = tuple(Resource),
    **extra: Any,
) -> tuple[OnCall, Bench]:
    bench = Bench(
        database, folder, FakeDecoder(windows_of(30)), FakePool(lambda window, _: said(window, "hello there"))
    )
    bench.extra = extra
    return OnCall(bench.parts, ringer, backend="auto", resources=resources, drain_seconds=1), bench


async def test_a_bell_takes_the_job_whose_turn_it_is_and_only_of_its_queue(
    database: Database, ringer: Ringer, tmp_path: Path
) -> None:
    workspace = await add_workspace(database)
    worker, bench = on_call(database, tmp_path, ringer)
    job_id = await bench.add(workspace)
    assert not await worker.run_next(Resource.NET)
    assert await worker.run_next(Resource.CPU)
    assert (await read_job(database, job_id)).status == JobStatus.COMPLETED
    assert not await worker.run_next(Resource.CPU)  # a bell that comes twice
    await worker.stop()


async def test_what_nobody_rings_for_is_taken_after_a_while(
    database: Database, ringer: Ringer, tmp_path: Path
) -> None:
    worker, bench = on_call(database, tmp_path, ringer)
    fresh = await bench.add(await add_workspace(database))
    await worker._take_unheard()
    assert (await read_job(database, fresh)).status == JobStatus.PENDING  # it may be rung for yet
    async with database.system() as session:
        job = await session.get(type(await read_job(database, fresh)), fresh)
        assert job is not None
        job.run_after = utcnow() - DEAF_AFTER - timedelta(seconds=1)
    await worker._take_unheard()
    assert (await read_job(database, fresh)).status == JobStatus.COMPLETED
    await worker.stop()


async def test_a_stop_hands_the_job_back_at_no_cost(
    database: Database, ringer: Ringer, tmp_path: Path
) -> None:
    worker, bench = on_call(database, tmp_path, ringer)
    begun = asyncio.Event()

    async def never(*_: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    bench.pool.submit = never  # type: ignore[method-assign]
    job_id = await bench.add(await add_workspace(database))
    running = asyncio.create_task(worker.run_next(Resource.CPU))
    async with asyncio.timeout(60):
        await begun.wait()
    await worker.stop()
    await running
    job = await read_job(database, job_id)
    assert (job.status, job.attempt, job.lease_owner) == (JobStatus.PENDING, 1, None)
    assert not await worker.run_next(Resource.CPU)


async def test_an_interrupt_stops_the_job_that_runs_here(
    database: Database, ringer: Ringer, tmp_path: Path
) -> None:
    worker, bench = on_call(database, tmp_path, ringer)
    begun = asyncio.Event()

    async def never(*_: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    bench.pool.submit = never  # type: ignore[method-assign]
    bench.bus.on_interrupt.append(worker.interrupt)
    workspace = await add_workspace(database)
    job_id = await bench.add(workspace)
    running = asyncio.create_task(worker.run_next(Resource.CPU))
    async with asyncio.timeout(60):
        await begun.wait()
        async with database.tenant(workspace) as session:
            await bench.service.cancel(session, job_id)
        bench.bus.interrupt(new_id())  # somebody else's
        bench.bus.interrupt(job_id)
        await running
    assert (await read_job(database, job_id)).status == JobStatus.CANCELLED
    await worker.stop()


async def test_a_worker_that_only_fetches_hands_over_what_it_has_brought(
    database: Database, ringer: Ringer, bell: FakeBell, tmp_path: Path
) -> None:
    workspace = await add_workspace(database)
    url = "https://example.org/talk.mp3"
    job_id = await add_job(database, workspace, file_id=None, source_url=url)

    class Links:
        async def bring(self, claim: Any, job: Job) -> MediaFile:
            file_id = await bench.add_file(workspace)
            async with database.system() as session:
                (await session.get_one(Job, job_id)).file_id = file_id
                return await session.get_one(MediaFile, file_id)

    worker, bench = on_call(database, tmp_path, ringer, fetch_only=True, links=Links())
    assert await worker.run_next(Resource.MEDIA)
    job = await read_job(database, job_id)
    assert (job.status, job.attempt, job.lease_owner) == (JobStatus.PENDING, 1, None)
    assert bench.pool.asked == []  # type: ignore[attr-defined]
    await ringer.look()
    assert bell.names() == {"cpu": 1}
    await worker.stop()
