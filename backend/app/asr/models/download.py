"""Fetches a model: resumed where it broke off, by one process at a time, checked before it gets its name."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from app.asr.models import notes
from app.asr.models.catalogue import CatalogueEntry, find
from app.asr.models.files import lock_of, part_of, verify
from app.core.errors import JobError
from app.core.locks import AlreadyLockedError, lock_file

CONNECT_SECONDS = 5.0
STALL_SECONDS = 60.0
WAIT_FOR_OTHER_SECONDS = 1.0
TRIES = 3  # of a connection that breaks after it has brought something
PAUSE_SECONDS = 1.0
_RESERVE_BYTES = 64 << 20
_BLOCK = 1 << 20
_PIECE = 1 << 18  # what a connection that breaks loses at most

OnProgress = Callable[[int, int], None]


async def download(
    name: str, models_dir: Path, base_url: str, *, on_progress: OnProgress = lambda _done, _total: None
) -> Path:
    """The model's file, fetched where it is not here or not the published one.

    `on_progress` gets bytes so far and in all, also while another process fetches it, which is waited for. Raises
    JobError `model_missing` where it cannot be had now (a later call goes on from what is there) and `model_invalid`
    where the bytes are not the published ones. Cancelled, it leaves what it has for the next call.
    """
    entry = find(name)
    if entry is None:
        raise JobError("model_missing", f"There is no model named {name} in the catalogue.")
    target = models_dir / entry.file
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        async with _turn(entry, target, on_progress):
            if not await asyncio.to_thread(_is_good, entry, target):
                await _fetch(entry, target, base_url, on_progress)
    except OSError as error:  # a full disk, a folder that cannot be written to
        raise JobError(
            "model_missing",
            f"The model {entry.name} ({entry.bytes / 1e6:,.0f} MB) cannot be kept in {models_dir}: "
            f"{error.strerror or error}. Make room there or set MODELS_DIR; the download then goes on.",
        ) from error
    return target


@asynccontextmanager
async def _turn(entry: CatalogueEntry, target: Path, on_progress: OnProgress) -> AsyncIterator[None]:
    """Hold the lock file, waiting for a process that has it."""
    part = part_of(target)
    while True:
        try:
            with lock_file(lock_of(target), note=str(os.getpid())):
                yield
                return
        except AlreadyLockedError:
            if part.is_file():
                on_progress(part.stat().st_size, entry.bytes)
            await asyncio.sleep(WAIT_FOR_OTHER_SECONDS)


def _is_good(entry: CatalogueEntry, target: Path) -> bool:
    if not target.is_file():
        return False
    try:
        verify(entry, target)
    except JobError:
        return False
    return True


async def _fetch(entry: CatalogueEntry, target: Path, base_url: str, on_progress: OnProgress) -> None:
    part, url, tries = part_of(target), entry.url(base_url), 0
    while True:
        have = _usable(part, entry)
        if shutil.disk_usage(target.parent).free < entry.bytes - have + _RESERVE_BYTES:
            raise JobError(
                "model_missing",
                f"The disk has no room for {entry.name} ({entry.bytes / 1e6:,.0f} MB) in {target.parent}.",
            )
        try:
            await _receive(entry, url, part, have, on_progress)
            break
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            tries += 1
            brought = part.is_file() and part.stat().st_size > have
            if brought and tries < TRIES:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            raise JobError(
                "model_missing",
                f"The model {entry.name} could not be downloaded from {url} ({_reason(error)}). Try again with "
                f"`transcribe models download {entry.name}`, or put {entry.file} into {target.parent} yourself.",
            ) from error
    stop = threading.Event()
    try:
        await asyncio.to_thread(_seal, entry, part, target, stop)
    except asyncio.CancelledError:
        stop.set()  # a thread cannot be cancelled, and must not finish what was called off
        raise


def _usable(part: Path, entry: CatalogueEntry) -> int:
    """Bytes of an earlier download that can be gone on from."""
    have = part.stat().st_size if part.is_file() else 0
    if have >= entry.bytes:
        part.unlink()
        return 0
    return have


async def _receive(entry: CatalogueEntry, url: str, part: Path, have: int, on_progress: OnProgress) -> None:
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    timeout = httpx2.Timeout(STALL_SECONDS, connect=CONNECT_SECONDS)
    async with (
        httpx2.AsyncClient(timeout=timeout, follow_redirects=True) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        if answer.status_code == 416:
            part.unlink(missing_ok=True)  # the next call begins anew
        answer.raise_for_status()
        resumed = have > 0 and answer.headers.get("content-range", "").startswith(f"bytes {have}-")
        if answer.status_code == 206 and not resumed:
            raise httpx2.RemoteProtocolError("the server sent another part than the one asked for")
        done = have if resumed else 0
        with part.open("ab" if resumed else "wb") as file:
            async for block in answer.aiter_bytes(_PIECE):
                done += len(block)
                if done > entry.bytes:
                    break
                await asyncio.to_thread(file.write, block)
                on_progress(done, entry.bytes)
    if done < entry.bytes:
        raise httpx2.ReadError("the connection ended early")


def _seal(entry: CatalogueEntry, part: Path, target: Path, stop: threading.Event) -> None:
    """Gives the file its name once its bytes have been compared; does nothing more after `stop`."""
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while not stop.is_set() and (block := file.read(_BLOCK)):
            digest.update(block)
        os.fsync(file.fileno())
    if stop.is_set():
        return
    if part.stat().st_size != entry.bytes or digest.hexdigest() != entry.sha256:
        part.unlink()
        raise JobError(
            "model_invalid",
            f"What was downloaded as {entry.name} is not the published file, so it was thrown away. "
            "Check MODEL_BASE_URL, then try again.",
        )
    part.replace(target)
    notes.write(target, entry.sha256)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx2.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError):
        return "no connection"
    if isinstance(error, httpx2.TimeoutException):
        return f"nothing came for {STALL_SECONDS:g} seconds"
    return str(error) or type(error).__name__
