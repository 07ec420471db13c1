"""Fetches a model: resumed where it broke off, by one process at a time, checked before it gets its name."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from app.asr.models.catalogue import CatalogueEntry, find
from app.asr.models.files import is_present, remember
from app.core.errors import JobError
from app.core.locks import AlreadyLockedError, lock_file

CONNECT_SECONDS = 5.0
STALL_SECONDS = 60.0
WAIT_FOR_OTHER_SECONDS = 1.0
_RESERVE_BYTES = 64 << 20

OnProgress = Callable[[int, int], None]


async def download(
    name: str, models_dir: Path, base_url: str, *, on_progress: OnProgress = lambda _done, _total: None
) -> Path:
    """The model's file, fetched where it is not here. `on_progress` gets bytes so far and in all.

    While another process fetches it, waits for that one. Raises JobError `model_missing` where it cannot be had now
    (a later call goes on from what is there) and `model_invalid` where the bytes are not the published ones.
    """
    entry = find(name)
    if entry is None:
        raise JobError("model_missing", f"There is no model named {name} in the catalogue.")
    target = models_dir / entry.file
    models_dir.mkdir(parents=True, exist_ok=True)
    async with _turn(models_dir / f"{entry.file}.lock"):
        if not is_present(name, models_dir):
            await _fetch(entry, target, base_url, on_progress)
    return target


@asynccontextmanager
async def _turn(path: Path) -> AsyncIterator[None]:
    """Hold the lock file, waiting for a process that has it."""
    while True:
        try:
            with lock_file(path, note=str(os.getpid())):
                yield
                return
        except AlreadyLockedError:
            await asyncio.sleep(WAIT_FOR_OTHER_SECONDS)


async def _fetch(entry: CatalogueEntry, target: Path, base_url: str, on_progress: OnProgress) -> None:
    part = target.with_name(target.name + ".part")
    have = part.stat().st_size if part.is_file() else 0
    if have >= entry.bytes:
        part.unlink()
        have = 0
    if shutil.disk_usage(target.parent).free < entry.bytes - have + _RESERVE_BYTES:
        raise JobError(
            "model_missing",
            f"The disk has no room for {entry.name} ({entry.bytes / 1e6:.0f} MB) in {target.parent}.",
        )
    url = entry.url(base_url)
    try:
        await _receive(entry, url, part, have, on_progress)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
        raise JobError(
            "model_missing",
            f"The model {entry.name} could not be downloaded from {base_url} ({_reason(error)}). Try again with "
            f"`transcribe models download {entry.name}`, or put {entry.file} into {target.parent} yourself.",
        ) from error
    await asyncio.to_thread(_seal, entry, part, target)


async def _receive(entry: CatalogueEntry, url: str, part: Path, have: int, on_progress: OnProgress) -> None:
    headers = {"Range": f"bytes={have}-"} if have else {}
    timeout = httpx2.Timeout(STALL_SECONDS, connect=CONNECT_SECONDS)
    async with (
        httpx2.AsyncClient(timeout=timeout, follow_redirects=True) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        answer.raise_for_status()
        resumed = answer.status_code == 206 and have > 0
        done = have if resumed else 0
        with part.open("ab" if resumed else "wb") as file:
            async for block in answer.aiter_bytes(1 << 20):
                done += len(block)
                if done > entry.bytes:
                    break
                await asyncio.to_thread(file.write, block)
                on_progress(done, entry.bytes)
    if done < entry.bytes:
        raise httpx2.ReadError("the connection ended early")


def _seal(entry: CatalogueEntry, part: Path, target: Path) -> None:
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
        os.fsync(file.fileno())
    if part.stat().st_size != entry.bytes or digest.hexdigest() != entry.sha256:
        part.unlink()
        raise JobError(
            "model_invalid",
            f"What was downloaded as {entry.name} is not the published file, so it was thrown away. "
            "Check MODEL_BASE_URL, then try again.",
        )
    part.replace(target)
    remember(entry, target)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx2.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError):
        return "no connection"
    return str(error) or type(error).__name__
