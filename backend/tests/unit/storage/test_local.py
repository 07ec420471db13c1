"""The local store: whole objects or nothing, parts in any order, nothing after the end."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.core.clock import utcnow
from app.core.errors import (
    ConflictError,
    FileEmptyError,
    FileTooLargeError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from app.storage import disk
from app.storage.base import PlannedPart
from app.storage.local import LocalStore
from tests.unit.storage.helpers import PART, content, files_in, planned, send, stream


async def test_writes_and_reads_whole_and_in_ranges(store: LocalStore, key: str) -> None:
    data = random.Random(1).randbytes(3 * disk.BLOCK + 7)
    stored = await store.write(key, stream(data[:5], data[5:]), limit=len(data))
    assert stored.size == len(data) == await store.size(key)
    assert stored.sha256 == hashlib.sha256(data).hexdigest()
    assert await content(store, key) == data
    assert [block async for block in store.read(key, 5, 3)] == [data[5:8]]
    assert (await store.local_path(key)).read_bytes() == data
    assert (await store.local_path(key)).stat().st_mode & 0o077 == 0


async def test_write_stops_at_the_limit_and_leaves_nothing(store: LocalStore, key: str) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1000)

    with pytest.raises(FileTooLargeError):
        await store.write(key, endless(), limit=10_000)
    assert taken == 11
    with pytest.raises(FileEmptyError):
        await store.write(key, stream(), limit=10)
    with pytest.raises(NotFoundError):
        await store.size(key)
    assert files_in(store) == []


async def test_a_sender_that_breaks_off_leaves_nothing(store: LocalStore, key: str) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2 * disk.BLOCK)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.write(key, broken(), limit=10 * disk.BLOCK)
    upload = await store.begin_upload(key, size=3 * disk.BLOCK)
    with pytest.raises(ConnectionResetError):
        await store.put_part(upload, PlannedPart(1, 0, 3 * disk.BLOCK), broken())
    assert await store.list_parts(upload) == []
    assert list((store.root / "tmp").iterdir()) == []


async def test_cancelled_write_leaves_nothing(store: LocalStore, key: str) -> None:
    started = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(2 * disk.BLOCK)
        started.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(store.write(key, slow(), limit=10 * disk.BLOCK))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_in(store) == []


async def test_multipart_in_any_order_with_a_part_sent_twice(store: LocalStore, key: str) -> None:
    data = random.Random(2).randbytes(3 * PART + 12345)
    parts = planned(len(data))
    upload = await store.begin_upload(key, size=len(data))
    await store.put_part(upload, parts[1], stream(bytes(PART)))  # overwritten below
    etags = await send(store, upload, data, parts[::-1])
    await send(store, upload, data, parts[:1])
    assert etags[1] == hashlib.md5(data[:PART]).hexdigest()
    arrived = await store.list_parts(upload)
    assert [(part.number, part.size, part.etag) for part in arrived] == [
        (part.number, part.size, etags[part.number]) for part in parts
    ]
    stored = await store.complete_upload(key, upload, parts, etags=etags)
    assert stored.size == len(data)
    assert await content(store, key) == data
    assert files_in(store) == [await store.local_path(key)]


async def test_single_put_is_hashed(store: LocalStore, key: str) -> None:
    upload = await store.begin_upload(key, size=5)
    part = PlannedPart(1, 0, 5)
    await store.put_part(upload, part, stream(b"he", b"llo"))
    stored = await store.complete_upload(key, upload, [part])
    assert stored.sha256 == hashlib.sha256(b"hello").hexdigest()


async def test_completing_again_gives_the_same(store: LocalStore, key: str) -> None:
    upload = await store.begin_upload(key, size=5)
    parts = [PlannedPart(1, 0, 5)]
    await send(store, upload, b"hello", parts)
    results = await asyncio.gather(*(store.complete_upload(key, upload, parts) for _ in range(8)))
    assert len(set(results)) == 1
    assert await store.complete_upload(key, upload, parts) == results[0]


async def test_complete_names_what_is_missing(store: LocalStore, key: str) -> None:
    parts = planned(3 * PART)
    upload = await store.begin_upload(key, size=3 * PART)
    etags = await send(store, upload, bytes(3 * PART), [parts[0], parts[2]])
    with pytest.raises(ConflictError, match="Part 2 of 3 did not arrive"):
        await store.complete_upload(key, upload, parts)
    etags |= await send(store, upload, bytes(3 * PART), [parts[1]])
    with pytest.raises(ConflictError, match="Part 2 is not the one"):
        await store.complete_upload(key, upload, parts, etags=etags | {2: "0" * 32})
    with pytest.raises(ConflictError, match="Part 3 is not the one"):
        await store.complete_upload(key, upload, parts, etags={1: etags[1], 2: etags[2]})
    with pytest.raises(ConflictError, match="has 3 parts; 4 were named"):
        await store.complete_upload(key, upload, parts, etags=etags | {4: "0" * 32})
    with pytest.raises(NotFoundError):
        await store.size(key)
    await store.complete_upload(key, upload, parts, etags=etags)


async def test_wrong_lengths_are_refused(store: LocalStore, key: str) -> None:
    upload = await store.begin_upload(key, size=100)
    for body in (b"", bytes(99), bytes(101)):
        with pytest.raises(ForbiddenError, match="exactly 100 bytes"):
            await store.put_part(upload, PlannedPart(1, 0, 100), stream(body))
    assert await store.list_parts(upload) == []


@pytest.mark.parametrize("ending", ["complete", "abort"])
async def test_nothing_is_added_after_the_end(store: LocalStore, key: str, ending: str) -> None:
    part = PlannedPart(1, 0, 5)
    upload = await store.begin_upload(key, size=5)
    await store.put_part(upload, part, stream(b"hello"))

    async def late() -> AsyncIterator[bytes]:
        """The end comes while this part is on its way."""
        yield b"ev"
        if ending == "complete":
            await store.complete_upload(key, upload, [part])
        else:
            await store.abort_upload(upload)
        yield b"il!"

    with pytest.raises(ForbiddenError):
        await store.put_part(upload, part, late())
    with pytest.raises(ForbiddenError):
        await store.put_part(upload, part, stream(b"evil!"))
    if ending == "complete":
        assert await content(store, key) == b"hello"
    else:
        with pytest.raises(ConflictError):
            await store.complete_upload(key, upload, [part])
        assert files_in(store) == []
        await store.abort_upload(upload)


async def test_delete_and_prune(store: LocalStore, key: str) -> None:
    await store.write(key, stream(b"x"), limit=1)
    folder = (await store.local_path(key)).parent
    await store.delete(key)
    await store.delete(key)
    assert not folder.exists()
    with pytest.raises(NotFoundError):
        await store.local_path(key)


async def test_put_file_replaces(store: LocalStore, key: str) -> None:
    for data in (b"one", b"two"):
        path = store.scratch_dir() / "made.tmp"
        path.write_bytes(data)
        await store.put_file(key, path)
        assert not path.exists()
        assert await content(store, key) == data


async def test_sweep_takes_only_what_is_old(store: LocalStore, key: str) -> None:
    await store.write(key, stream(b"x"), limit=1)
    old, new = await store.begin_upload(key, size=1), await store.begin_upload(key, size=1)
    for path in (store.root / "uploads" / old, store.scratch_dir() / "a.tmp"):
        path.touch()
        os.utime(path, (1, 1))
    (store.scratch_dir() / "b.tmp").touch()
    limit = utcnow() - timedelta(hours=1)
    assert await store.sweep(files_before=limit, uploads_before=limit) == 2
    assert [path.name for path in (store.root / "uploads").iterdir()] == [new]
    assert [path.name for path in (store.root / "tmp").iterdir()] == ["b.tmp"]
    assert await content(store, key) == b"x"


async def test_check_and_free_bytes(store: LocalStore) -> None:
    await store.check()
    assert (await store.free_bytes() or 0) > 0
    assert files_in(store) == []
    shutil.rmtree(store.root)
    store.root.touch()
    with pytest.raises(UnavailableError):
        await store.check()
