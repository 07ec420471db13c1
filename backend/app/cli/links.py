"""Links after `transcribe run`: fetched as the server fetches them, kept until their text is there."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.asr.types import Stage
from app.cli.checkpoints import KEEP_SECONDS
from app.cli.inputs import Link
from app.cli.progress import Reporter
from app.core.errors import ForbiddenError, JobError
from app.core.locks import AlreadyLockedError, lock_file
from app.fetch import Fetcher
from app.services.media.names import clean_name

MAX_NAME_BYTES = 150  # room for a number and the ending of a format, on every file system
_RESERVED = re.compile(r'[<>:"|?*]')  # what other systems have no names with


class LinkFetcher:
    """Fetches `parallel` at a time. A recording lies in a folder named by its link until its text is there, so that an
    interrupted run does not fetch it twice."""

    def __init__(
        self,
        fetcher: Fetcher,
        folder: Path,
        *,
        enabled: bool,
        max_bytes: int,
        max_audio_seconds: int,
        parallel: int,
    ) -> None:
        self._fetcher = fetcher
        self._folder = folder
        self._enabled = enabled
        self._max_bytes = max_bytes
        self._max_audio_seconds = max_audio_seconds
        self._slots = asyncio.Semaphore(parallel)

    def check(self, url: str) -> str:
        """The link as it is kept. Raises `ForbiddenError` (links_disabled), `UrlNotAllowedError`."""
        if not self._enabled:
            raise ForbiddenError("Links are switched off here (URL_INGESTION=off).", code="links_disabled")
        return self._fetcher.check(url)

    async def expand(self, link: Link, *, limit: int) -> list[Link]:
        """The recordings of a playlist, in its order, at most `limit`. Raises as `fetch` does."""
        url = self.check(link.url)
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            listed = await self._fetcher.expand(url, Path(scratch), limit=limit)
        return [Link(entry.url) for entry in listed.entries]

    @asynccontextmanager
    async def fetched(self, link: Link, reporter: Reporter) -> AsyncIterator[Path]:
        """The recording, named by its title; removed after the block, unless that was interrupted.

        Raises `FetchError`, `UrlNotAllowedError`, `ForbiddenError`, `OSError`.
        """
        url = self.check(link.url)
        kept = self._folder / hashlib.sha256(url.encode()).hexdigest()[:32]
        kept.mkdir(parents=True, exist_ok=True)
        lock = kept.with_suffix(".lock")
        try:
            with lock_file(lock, note=str(os.getpid())):
                try:
                    yield await self._bring(url, kept, reporter)
                except asyncio.CancelledError:
                    raise
                except BaseException:
                    await asyncio.to_thread(shutil.rmtree, kept, ignore_errors=True)
                    raise
                await asyncio.to_thread(shutil.rmtree, kept, ignore_errors=True)
                lock.unlink(missing_ok=True)
        except AlreadyLockedError:
            raise JobError("fetch_failed", "Another run is at work on this link.") from None

    async def _bring(self, url: str, kept: Path, reporter: Reporter) -> Path:
        before = next((path for path in kept.iterdir() if path.is_file()), None)
        if before is not None:
            reporter.say(f"{url}: fetched before")
            return before
        async with self._slots:
            with tempfile.TemporaryDirectory(dir=self._folder) as scratch, reporter.file(url) as progress:
                progress.stage(Stage.FETCHING)
                got = await self._fetcher.fetch(
                    url,
                    Path(scratch),
                    max_bytes=self._max_bytes,
                    max_audio_seconds=self._max_audio_seconds,
                    on_progress=progress.fetched,
                )
                return got.path.replace(kept / file_name(got.title, got.path.suffix))  # whole or not at all

    def clean(self) -> None:
        """Remove what nobody has gone on with for a month, and what a killed run has left."""
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if time.time() - path.stat().st_mtime > KEEP_SECONDS:
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def file_name(title: str | None, suffix: str) -> str:
    """A title as a name that every file system takes."""
    stem = clean_name(_RESERVED.sub(" ", (title or "").replace("/", " ").replace("\\", " ")))
    stem = " ".join(stem.split()).lstrip(".~- ")
    stem = stem.encode()[:MAX_NAME_BYTES].decode("utf-8", "ignore").rstrip(". ") or "recording"
    return f"{stem}{suffix}"
