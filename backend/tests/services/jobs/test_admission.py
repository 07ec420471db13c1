"""What a job waits for besides an engine: it says so, loses nothing, and goes on by itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.asr.selection import Choice
from app.core.clock import utcnow
from app.core.config import PROJECT_ROOT
from app.core.errors import AppError, UnavailableError
from app.db.session import Database
from app.models import HistoryEntry, HistoryKind, Job, JobStatus, Workspace
from app.services.jobs import claims, waiting
from app.services.jobs.admission import PARALLEL_LIMIT, STORAGE_AWAY, STORAGE_FULL, Room
from app.services.jobs.bus import EventBus
from app.services.jobs.owner import Owner
from app.storage.base import StorageFullError
from app.storage.local import LocalStore
from app.storage.signing import UrlSigner
from tests.fixtures.jobs import add_workspace, read_job
from tests.fixtures.runs import SPEC, Bench, FakeDecoder, FakePool, said, windows_of

NO_DISK_HAS_SO_MUCH = 1 << 60


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    decoder = FakeDecoder(windows_of(10, 10))
    return Bench(database, tmp_path / "store", decoder, FakePool(lambda window, _: said(window, "word")))


class TroubledStore(LocalStore):
    """Raises `trouble` wherever bytes are read or tried out, until it is None."""

    trouble: AppError | None = None

    @asynccontextmanager
    async def local_copy(self, key: str) -> AsyncIterator[Path]:
        if self.trouble is not None:
            raise self.trouble
        async with super().local_copy(key) as path:
            yield path

    async def check(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        await super().check()


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [(StorageFullError(), STORAGE_FULL), (UnavailableError("The bucket is away."), STORAGE_AWAY)],
)
async def test_trouble_of_the_store_is_waited_out_at_no_cost(
    bench: Bench, database: Database, trouble: AppError, reason: str
) -> None:
    bench.store = TroubledStore(bench.folder, UrlSigner(b"k" * 32, ttl_seconds=60))
    job_id = await bench.add(await add_workspace(database))
    room = Room(bench.store, bench.folder)
    bench.store.trouble = trouble
    for _ in range(5):  # more often than an error would be tried again
        await bench.work(until_final=False)
        job = await read_job(database, job_id)
        assert (job.status, job.wait_reason, job.attempt, job.engine_errors) == (
            JobStatus.PENDING,
            reason,
            1,
            0,
        )
        assert job.run_after > utcnow() + timedelta(hours=1)
        assert await waiting.wake_stored(database, room) == 0
    bench.store.trouble = None
    assert await waiting.wake_stored(database, room) == 1
    await bench.work()
    job = await read_job(database, job_id)
    assert (job.status, job.wait_reason, job.attempt) == (JobStatus.COMPLETED, None, 1)


async def test_a_full_disk_is_seen_before_the_work_begins(bench: Bench, database: Database) -> None:
    job_id = await bench.add(await add_workspace(database))
    full = Room(bench.store, bench.folder, min_free_bytes=NO_DISK_HAS_SO_MUCH)
    bench.extra["room"] = full
    await bench.work(until_final=False)
    job = await read_job(database, job_id)
    assert (job.status, job.wait_reason, job.attempt) == (JobStatus.PENDING, STORAGE_FULL, 1)
    assert bench.decoder.opened == 0
    assert await waiting.wake_stored(database, full) == 0
    bench.extra["room"] = Room(bench.store, bench.folder, min_free_bytes=0)
    assert await waiting.wake_stored(database, bench.extra["room"]) == 1
    await bench.work()
    assert (await read_job(database, job_id)).status == JobStatus.COMPLETED


async def test_engines_do_not_wake_what_waits_for_room_or_for_its_time(
    bench: Bench, database: Database
) -> None:
    """An engine is there for all of them: that is not what they wait for."""
    workspace = await add_workspace(database)
    later = utcnow() + timedelta(hours=1)
    kinds = {
        "storage": {"wait_reason": STORAGE_FULL},
        "retry": {"wait_reason": "provider_down", "error_code": "provider_failed"},
        "engine": {"wait_reason": "model_missing"},
    }
    ids = {kind: await bench.add(workspace) for kind in kinds}
    for kind, values in kinds.items():
        async with database.system() as session:
            await session.execute(sa.update(Job).where(Job.id == ids[kind]).values(run_after=later, **values))
    await waiting.wake_ready(database, bench.bus, AnyEngine())  # type: ignore[arg-type]  # all it is asked for
    due = {kind for kind in kinds if (await read_job(database, ids[kind])).run_after <= utcnow()}
    assert due >= {"engine"}
    assert "retry" not in due
    assert "storage" not in due


class AnyEngine:
    async def choose_for(self, *_: object, **__: object) -> object:
        return Choice(SPEC)


async def test_a_job_over_the_limit_of_parallel_ones_says_so_until_its_turn(
    bench: Bench, database: Database
) -> None:
    workspace = await add_workspace(database)
    async with database.system() as session:
        await session.execute(sa.update(Workspace).values(quota_parallel_jobs=1))
    first, second = await bench.add(workspace), await bench.add(workspace)
    assert (await read_job(database, first)).wait_reason is None
    assert (await read_job(database, second)).wait_reason == PARALLEL_LIMIT
    await bench.work()
    for job_id in (first, second):
        job = await read_job(database, job_id)
        assert (job.status, job.wait_reason) == (JobStatus.COMPLETED, None)


def test_the_reasons_are_a_closed_list_in_the_documents() -> None:
    text = (PROJECT_ROOT / "docs" / "api.md").read_text()
    told = text.partition("`wait_reason`: why a pending job waits (")[2].partition("There are no others")[0]
    assert set(re.findall(r"`(\w+)`", told)) == waiting.WAIT_REASONS


async def left_alone_since(database: Database, job_id: UUID, seconds: float) -> Job:
    async with database.system() as session:
        then = await session.database_now() - timedelta(seconds=seconds)
        await session.execute(sa.update(Job).where(Job.id == job_id).values(run_after=then))
    await waiting.tell_that_nobody_works(database, EventBus())
    return await read_job(database, job_id)


async def test_a_job_that_nobody_takes_says_so_until_somebody_does(bench: Bench, database: Database) -> None:
    job_id = await bench.add(await add_workspace(database))
    assert (await left_alone_since(database, job_id, waiting.NO_WORKER_SECONDS / 2)).wait_reason is None
    assert not await waiting.nobody_works(database)
    job = await left_alone_since(database, job_id, waiting.NO_WORKER_SECONDS + 1)
    assert (job.status, job.wait_reason) == (JobStatus.PENDING, waiting.NO_WORKER)
    assert job.run_after < utcnow()
    assert await waiting.nobody_works(database)
    await waiting.tell_that_nobody_works(database, EventBus())  # once is enough
    async with database.system(read_only=True) as session:
        entries = (await session.execute(sa.select(HistoryEntry.kind, HistoryEntry.detail))).all()
    assert [detail["reason"] for kind, detail in entries if kind == HistoryKind.WAITING] == [
        waiting.NO_WORKER
    ]
    await bench.work()
    job = await read_job(database, job_id)
    assert (job.status, job.wait_reason, job.attempt) == (JobStatus.COMPLETED, None, 1)


async def test_a_job_that_waits_for_busy_workers_is_not_left_alone(bench: Bench, database: Database) -> None:
    workspace = await add_workspace(database)
    await bench.add(workspace)
    async with database.system() as session:
        assert await claims.claim_next(session, EventBus(), Owner.current()) is not None
    second = await bench.add(workspace)
    assert (await left_alone_since(database, second, 3600)).wait_reason is None
    async with database.system() as session:  # the lease of the only worker lapses
        await session.execute(
            sa.update(Job).where(Job.id != second).values(lease_expires_at=utcnow() - timedelta(seconds=1))
        )
    assert (await left_alone_since(database, second, 3600)).wait_reason == waiting.NO_WORKER
