"""The local store: whole objects or nothing, under its own folder, after a crash at any point."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

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
from app.storage import disk, staging
from app.storage.base import PlannedPart, StorageFullError
from app.storage.local import LocalStore

PART = 1 << 20


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def planned(size: int, part: int = PART) -> list[PlannedPart]:
    return [
        PlannedPart(number, offset, min(part, size - offset))
        for number, offset in enumerate(range(0, size, part), start=1)
    ]


async def content(store: LocalStore, key: str) -> bytes:
    return b"".join([block async for block in store.read(key)])


def files_in(store: LocalStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


async def send(store: LocalStore, upload: str, data: bytes, parts: list[PlannedPart]) -> dict[int, str]:
    return {
        part.number: await store.put_part(upload, part, stream(data[part.offset : part.offset + part.size]))
        for part in parts
    }


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


WORKSPACE, FILE = "0190a8f0-0000-7000-8000-000000000001", "0190a8f0-0000-7000-8000-000000000002"
CRAFTED = [
    "", ".", "..", "/", "\0", "original", "/etc/passwd", "../../etc/passwd", "w", "w/", "w/../..",
    f"w/{WORKSPACE}", f"w/{WORKSPACE}/f", f"w/{WORKSPACE}/f/{FILE}", f"w/{WORKSPACE}/f/{FILE}/",
    f"w/{WORKSPACE}/f/{FILE}/..", f"w/{WORKSPACE}/f/{FILE}/../original", f"w/{WORKSPACE}/f/{FILE}/.original",
    f"w/{WORKSPACE}/f/{FILE}/original/", f"w/{WORKSPACE}/f/{FILE}/original/x", f"w/{WORKSPACE}/f/{FILE}/Original",
    f"w/{WORKSPACE}/f/{FILE}/original\0", f"w/{WORKSPACE}/f/{FILE}/original\n", f"w/{WORKSPACE}/f/../original",
    f"w/../f/{FILE}/original", f"/w/{WORKSPACE}/f/{FILE}/original", f"w//{WORKSPACE}/f/{FILE}/original",
    f"w\\{WORKSPACE}\\f\\{FILE}\\original", f"w/{WORKSPACE.upper()}/f/{FILE}/original", f"w/{WORKSPACE}/g/{FILE}/original",
    f"x/../w/{WORKSPACE}/f/{FILE}/original", f"w/{WORKSPACE}/f/{FILE}/%2e%2e", f"w/{WORKSPACE}/f/{FILE}/..%2foriginal",
    f"w/{WORKSPACE}/f/{'.' * 36}/original", f"w/{WORKSPACE}/f/{FILE}/" + "a" * 300, f"w/{WORKSPACE}/f/{FILE}/-i",
]  # fmt: skip


@pytest.mark.parametrize("key", CRAFTED)
async def test_crafted_keys_lead_nowhere(store: LocalStore, tmp_path: Path, key: str) -> None:
    part = PlannedPart(1, 0, 1)
    for call in (
        lambda: store.write(key, stream(b"x"), limit=1),
        lambda: store.size(key),
        lambda: store.local_path(key),
        lambda: store.delete(key),
        lambda: store.begin_upload(key, size=1),
        lambda: store.list_parts(key),
        lambda: store.abort_upload(key),
        lambda: store.put_part(key, part, stream(b"x")),
        lambda: store.complete_upload(key, "0" * 32, [part]),
    ):
        with pytest.raises(NotFoundError):
            await call()
    with pytest.raises(NotFoundError):
        store.get_url(key, base_url="http://x", filename="a", content_type="audio/mpeg")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_links_lead_nowhere(store: LocalStore, tmp_path: Path, key: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "original").write_bytes(b"secret")
    path = store.root / "objects" / key
    path.parent.parent.mkdir(parents=True)
    path.parent.symlink_to(outside)
    with pytest.raises(NotFoundError):
        await store.local_path(key)
    path.parent.unlink()
    path.parent.mkdir()
    path.symlink_to(outside / "original")
    with pytest.raises(UnavailableError):
        await content(store, key)


@pytest.fixture
def small_files() -> Iterator[None]:
    """A disk that is full after 1.5 MiB, as far as this process can tell."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 19, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


async def test_full_disk(store: LocalStore, key: str, small_files: None) -> None:
    with pytest.raises(StorageFullError) as caught:
        await store.write(key, stream(bytes(4 * disk.BLOCK)), limit=1 << 30)
    assert (caught.value.status, caught.value.code) == (507, "storage_full")
    assert files_in(store) == []
    upload = await store.begin_upload(key, size=4 * PART)
    parts = planned(4 * PART)
    with pytest.raises(StorageFullError):
        await send(store, upload, bytes(4 * PART), parts)
    assert [part.number for part in await store.list_parts(upload)] == [1]
    assert list((store.root / "tmp").iterdir()) == []


async def test_no_room_is_said_before_the_upload(
    store: LocalStore, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.check()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100 << 20))
    await store.begin_upload(key, size=30 << 20)
    with pytest.raises(StorageFullError):
        await store.begin_upload(key, size=60 << 20)


@pytest.mark.parametrize("call", ["move_in", "remove_tree", "sync_folder"])
async def test_complete_after_a_crash_inside(
    store: LocalStore, key: str, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    parts = planned(2 * PART)
    data = random.Random(3).randbytes(2 * PART)
    upload = await store.begin_upload(key, size=len(data))
    etags = await send(store, upload, data, parts)

    def crash(*_: object) -> None:
        raise OSError(errno.EIO, "power cut")

    with monkeypatch.context() as patch:
        patch.setattr(disk if call == "sync_folder" else staging, call, crash)
        with pytest.raises(UnavailableError):
            await store.complete_upload(key, upload, parts, etags=etags)
    await store.complete_upload(key, upload, parts, etags=etags)
    assert await content(store, key) == data
    assert files_in(store) == [await store.local_path(key)]


_SENDER = """
import asyncio, os, sys
from pathlib import Path
from app.storage.base import PlannedPart
from app.storage.local import LocalStore
from app.storage.signing import UrlSigner

async def data(n):
    yield bytes([n]) * (1 << 20)

async def main(root, upload):
    store = LocalStore(Path(root), UrlSigner(b"k" * 32, ttl_seconds=60))
    print("ready", flush=True)
    while True:
        for n in range(1, 9):
            await store.put_part(upload, PlannedPart(n, (n - 1) << 20, 1 << 20), data(n))
            await store.put_part(upload, PlannedPart(n, (n - 1) << 20, 1 << 20), data(n + 100))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_killed_at_any_moment_every_listed_part_is_whole(store: LocalStore, key: str) -> None:
    """A process that keeps sending and replacing parts is killed; what is listed has to be in the object."""
    parts = planned(8 * PART)
    upload = await store.begin_upload(key, size=8 * PART)
    rng = random.Random(4)
    for _ in range(10):
        sender = subprocess.Popen(  # noqa: ASYNC220 (it is only started here)
            [sys.executable, "-c", _SENDER, str(store.root), upload], stdout=subprocess.PIPE
        )
        assert sender.stdout is not None
        await asyncio.to_thread(sender.stdout.readline)
        await asyncio.sleep(rng.uniform(0.01, 0.2))
        sender.kill()
        await asyncio.to_thread(sender.wait)
        sender.stdout.close()
        whole = (store.root / "uploads" / upload / "data").read_bytes()
        for part in await store.list_parts(upload):
            offset = (part.number - 1) * PART
            assert hashlib.md5(whole[offset : offset + PART]).hexdigest() == part.etag
    data = random.Random(5).randbytes(8 * PART)
    await send(store, upload, data, parts)
    await store.complete_upload(key, upload, parts)
    assert await content(store, key) == data


def test_copy_without_the_kernels_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    data = random.Random(6).randbytes(2 * disk.BLOCK + 5)
    (tmp_path / "a").write_bytes(data)
    with (tmp_path / "a").open("rb") as source, (tmp_path / "b").open("w+b") as target:
        disk.copy_into(source.fileno(), target.fileno(), len(data), 10)
    assert (tmp_path / "b").read_bytes() == bytes(10) + data
