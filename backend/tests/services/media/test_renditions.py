"""The renditions task: once each, at most two attempts, nobody's claim is lost or shared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.clock import new_id
from app.core.errors import JobError, UnavailableError
from app.db.session import Database
from app.models import MediaFile, RenditionState
from app.services.media.renditions import RenditionWorker
from app.storage.base import StorageFullError
from app.storage.keys import object_key
from app.storage.local import LocalStore
from app.storage.signing import UrlSigner
from tests.fixtures.jobs import add_workspace


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "storage", UrlSigner(b"k" * 32, ttl_seconds=60))


async def one(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def add_file(database: Database, store: LocalStore) -> UUID:
    workspace_id, file_id = await add_workspace(database), new_id()
    key = object_key(workspace_id, file_id, "original")
    await store.write(key, one(b"original"), limit=100)
    async with database.system() as session:
        session.add(
            MediaFile(
                id=file_id, workspace_id=workspace_id, filename="a.mkv", size=8, content_type="video/x-matroska",
                storage_key=key, rendition_state=RenditionState.PENDING,
            )
        )  # fmt: skip
    return file_id


async def read(database: Database, file_id: UUID) -> MediaFile:
    async with database.system(read_only=True) as session:
        return await session.get_one(MediaFile, file_id)


class Renderer:
    """Writes a file, or does as it is told; counts."""

    def __init__(self, *outcomes: str | Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.calls = 0
        self.during: Callable[[], object] = lambda: None

    async def __call__(self, source: Path, target: Path) -> str | None:
        self.calls += 1
        assert source.read_bytes() == b"original"
        target.write_bytes(b"rendition")
        await asyncio.sleep(0.02)
        outcome = self.outcomes.pop(0) if self.outcomes else "audio/mp4"
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


CRASH = JobError("media_invalid", "signal SIGSEGV", retryable=True)


def leftovers(store: LocalStore) -> list[Path]:
    return list(store.scratch_dir().iterdir())


async def test_made_once(database: Database, store: LocalStore) -> None:
    file_id, render = await add_file(database, store), Renderer()
    worker = RenditionWorker(database, store, render=render)
    assert await worker.run_once()
    assert not await worker.run_once()
    file = await read(database, file_id)
    assert (file.rendition_state, file.rendition_content_type, render.calls) == ("ready", "audio/mp4", 1)
    assert file.rendition_key is not None
    assert [block async for block in store.read(file.rendition_key)] == [b"rendition"]
    assert leftovers(store) == []


async def test_nothing_to_do(database: Database, store: LocalStore) -> None:
    file_id = await add_file(database, store)
    await RenditionWorker(database, store, render=Renderer(None)).run_once()
    file = await read(database, file_id)
    assert (file.rendition_state, file.rendition_key) == ("none", None)
    assert leftovers(store) == []


@pytest.mark.parametrize(
    ("outcomes", "calls", "state"),
    [
        ([JobError("no_audio_stream", "silent film")], 1, "failed"),
        ([CRASH], 2, "ready"),
        ([CRASH, CRASH], 2, "failed"),
    ],
)
async def test_failures(
    database: Database, store: LocalStore, outcomes: list[Exception], calls: int, state: str
) -> None:
    file_id, render = await add_file(database, store), Renderer(*outcomes)
    worker = RenditionWorker(database, store, render=render)
    while await worker.run_once():
        pass
    assert (render.calls, (await read(database, file_id)).rendition_state) == (calls, state)
    assert leftovers(store) == []


async def test_several_workers_share_the_work(database: Database, store: LocalStore) -> None:
    ids = [await add_file(database, store) for _ in range(6)]
    render = Renderer()
    workers = [RenditionWorker(database, store, render=render) for _ in range(4)]

    async def drain(worker: RenditionWorker) -> None:
        while await worker.run_once():
            pass

    await asyncio.gather(*map(drain, workers))
    await drain(workers[0])
    assert render.calls == 6
    assert {(await read(database, file_id)).rendition_state for file_id in ids} == {"ready"}


async def test_a_dead_workers_claim_comes_free(database: Database, store: LocalStore) -> None:
    file_id, render = await add_file(database, store), Renderer()
    dead = RenditionWorker(database, store, render=render, lease_seconds=0.3)
    assert await dead._claim() is not None
    other = RenditionWorker(database, store, render=render, lease_seconds=0.3)
    assert not await other.run_once()
    await asyncio.sleep(0.4)
    assert await other.run_once()
    assert (await read(database, file_id)).rendition_state == "ready"


async def test_two_dead_workers_are_enough(database: Database, store: LocalStore) -> None:
    file_id, render = await add_file(database, store), Renderer()
    worker = RenditionWorker(database, store, render=render, lease_seconds=0.05)
    for _ in range(2):
        assert await worker._claim() is not None
        await asyncio.sleep(0.1)
    assert not await worker.run_once()
    assert (await read(database, file_id)).rendition_state == "failed"


async def test_a_lease_is_kept_while_the_child_works(database: Database, store: LocalStore) -> None:
    await add_file(database, store)
    calls = 0

    async def slow(_source: Path, _target: Path) -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(1.2)

    first, second = (RenditionWorker(database, store, render=slow, lease_seconds=0.5) for _ in range(2))
    task = asyncio.create_task(first.run_once())
    await asyncio.sleep(0.9)
    assert not await second.run_once()
    assert await task
    assert calls == 1


async def test_a_file_deleted_meanwhile_leaves_no_bytes(database: Database, store: LocalStore) -> None:
    file_id = await add_file(database, store)
    key = (await read(database, file_id)).storage_key

    async def render(_source: Path, target: Path) -> str:
        target.write_bytes(b"rendition")
        async with database.system() as session:
            await session.execute(sa.delete(MediaFile).where(MediaFile.id == file_id))
        await store.delete(key)
        return "audio/mp4"

    assert await RenditionWorker(database, store, render=render).run_once()
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


async def test_the_bytes_are_gone(database: Database, store: LocalStore) -> None:
    file_id = await add_file(database, store)
    await store.delete((await read(database, file_id)).storage_key)
    assert await RenditionWorker(database, store, render=Renderer()).run_once()
    assert (await read(database, file_id)).rendition_state == "failed"


@pytest.mark.parametrize("trouble", [UnavailableError("away"), StorageFullError()])
async def test_a_store_in_trouble_costs_no_attempt(
    database: Database, store: LocalStore, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    file_id = await add_file(database, store)
    worker = RenditionWorker(database, store, render=Renderer())

    async def fail(_key: str, _path: Path) -> None:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(store, "put_file", fail)
        for _ in range(3):
            with pytest.raises(type(trouble)):
                await worker.run_once()
    assert await worker.run_once()
    assert (await read(database, file_id)).rendition_state == "ready"


async def test_stopping_costs_no_attempt(database: Database, store: LocalStore) -> None:
    file_id, started = await add_file(database, store), asyncio.Event()

    async def endless(_source: Path, target: Path) -> str:
        target.touch()
        started.set()
        await asyncio.sleep(60)
        return ""

    worker = RenditionWorker(database, store, render=endless)
    worker.start()
    await asyncio.wait_for(started.wait(), 5)
    await worker.stop()
    file = await read(database, file_id)
    assert (file.rendition_state, file.rendition_attempts, file.rendition_lease_until) == ("pending", 0, None)
    assert leftovers(store) == []
    await worker.stop()


async def test_woken(database: Database, store: LocalStore) -> None:
    worker = RenditionWorker(database, store, render=Renderer(), poll_seconds=60)
    worker.start()
    await asyncio.sleep(0.1)
    file_id = await add_file(database, store)
    worker.wake()
    async with asyncio.timeout(5):
        while (await read(database, file_id)).rendition_state != "ready":  # noqa: ASYNC110 (rows ring no bell)
            await asyncio.sleep(0.02)
    await worker.stop()
