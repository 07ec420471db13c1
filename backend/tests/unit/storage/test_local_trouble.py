"""The local store in trouble: crafted keys, links, a full disk, a crash at any point."""

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
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core.errors import (
    NotFoundError,
    UnavailableError,
)
from app.storage import disk, staging
from app.storage.base import PlannedPart, StorageFullError
from app.storage.local import LocalStore
from tests.unit.storage.helpers import PART, content, files_in, planned, send, stream

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
