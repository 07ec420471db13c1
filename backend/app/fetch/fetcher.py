"""Starts the process that fetches, watches how it gets on, and ends it with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.core.child import frames, spawn
from app.core.errors import JobError
from app.fetch.errors import classify, failure
from app.fetch.javascript import find_runtime, newer_library
from app.fetch.urls import SiteRules, check_url

MODULE = "app.fetch.child"
_SLOW_SECONDS = 30.0
_FIND_SECONDS = 150.0
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Fetched:
    """A recording on this machine's disk, and what the site says of it."""

    path: Path
    thumbnail: Path | None
    title: str | None
    site: str | None
    page_url: str | None
    uploader: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording of a playlist."""

    url: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Playlist:
    """What a link holds, in its order."""

    title: str | None
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Fetcher:
    """`max_seconds` for one recording; slower than `min_bytes_per_second` over `slow_seconds` is broken off, and so
    is what has not begun after `find_seconds`.

    `permitted` and `hosts` are for tests, which have a site on loopback and no name servers; no setting reaches them.
    """

    rules: SiteRules = field(default_factory=SiteRules)
    max_seconds: float = 1800
    min_bytes_per_second: int = 1024
    slow_seconds: float = _SLOW_SECONDS
    find_seconds: float = _FIND_SECONDS
    cookie_file: Path | None = None
    proxy: str = ""
    library: Path | None = None  # where a newer yt-dlp may lie
    permitted: Sequence[tuple[str, int]] = ()
    hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def check(self, url: str) -> str:
        """The link as it is fetched. Raises `UrlNotAllowedError`."""
        return check_url(url, self.rules, permitted=self.permitted)

    async def fetch(
        self,
        url: str,
        folder: Path,
        *,
        max_bytes: int,
        max_audio_seconds: int,
        on_progress: Callable[[int, int | None], None] = lambda *_: None,
    ) -> Fetched:
        """The recording at a link, into `folder`. `on_progress(bytes, total)`. Raises FetchError, `UrlNotAllowedError`.

        Cancelled, it kills the process and what that has started before it returns.
        """
        request = self._request(url, folder, max_bytes=max_bytes, max_audio_seconds=max_audio_seconds)
        async with self._answer(request, on_progress, watch=True) as answer:
            name = answer.get("thumbnail")
            return Fetched(
                folder / Path(answer["file"]).name,
                folder / Path(name).name if name else None,
                answer.get("title"),
                answer.get("site"),
                answer.get("page_url"),
                answer.get("uploader"),
            )

    async def expand(self, url: str, folder: Path, *, limit: int) -> Playlist:
        """The recordings of a playlist, at most `limit`; none of them is fetched. Raises as `fetch` does."""
        request = self._request(url, folder, max_bytes=1 << 20, max_audio_seconds=1, playlist_limit=limit)
        async with self._answer(request, lambda *_: None, watch=False) as answer:
            entries = [Entry(self.check(entry["url"]), entry.get("title")) for entry in answer["entries"]]
            return Playlist(answer.get("title"), entries[:limit])

    def _request(self, url: str, folder: Path, **values: Any) -> dict[str, Any]:
        runtime = find_runtime()
        library = newer_library(self.library) if self.library is not None else None
        return {
            "url": self.check(url),
            "folder": str(folder.absolute()),
            "parent": os.getpid(),
            "playlist_limit": 0,
            "permitted": [*map(list, self.permitted), *map(list, _endpoint(self.proxy))],
            "hosts": {name: list(answers) for name, answers in self.hosts.items()},
            "socket_seconds": min(20.0, self.slow_seconds),
            "cookie_file": str(self.cookie_file) if self.cookie_file else None,
            "proxy": self.proxy,
            "javascript": [runtime.name, runtime.path] if runtime else None,
            "library": str(library) if library else None,
            **values,
        }

    @contextlib.asynccontextmanager
    async def _answer(
        self, request: dict[str, Any], on_progress: Callable[[int, int | None], None], *, watch: bool
    ) -> AsyncIterator[dict[str, Any]]:
        folder = Path(request["folder"])
        home = {"HOME": str(folder), "TMPDIR": str(folder), "XDG_CONFIG_HOME": str(folder)}
        process = await spawn.start(MODULE, cwd=folder, environment=home)
        watcher = asyncio.create_task(self._watch(folder)) if watch else None
        reader = asyncio.create_task(self._read(process, request, on_progress))
        try:
            async with asyncio.timeout(self.max_seconds):
                waiting = {reader} | ({watcher} if watcher else set())
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if not reader.done():
                    raise failure("fetch_timeout")
            answer = reader.result()
        except TimeoutError:
            raise failure("fetch_timeout") from None
        finally:
            for task in (watcher, reader):
                if task is not None:
                    task.cancel()
            await spawn.kill(process)
            await asyncio.gather(*(t for t in (watcher, reader) if t is not None), return_exceptions=True)
        if answer["event"] == "failed":
            code, message = answer.get("code"), str(answer.get("message"))
            raise failure(code or classify(message), message)
        yield answer

    async def _read(
        self,
        process: asyncio.subprocess.Process,
        request: dict[str, Any],
        on_progress: Callable[[int, int | None], None],
    ) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(frames.pack(request))
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        while True:
            try:
                message = await frames.read_async(process.stdout)
            except frames.BrokenFrameError:
                message = None
            if message is None:
                raise JobError(
                    "fetch_failed",
                    "The part of this server that fetches recordings broke down. Try again.",
                    retryable=True,
                )
            if message[0]["event"] != "progress":
                return message[0]
            on_progress(int(message[0]["bytes"]), message[0]["total"])

    async def _watch(self, folder: Path) -> None:
        """Returns once too little has come in: finding a recording may take a while, then its bytes have to flow."""
        began, before, patience = time.monotonic(), 0, self.find_seconds
        while True:
            await asyncio.sleep(min(_LOOK_SECONDS, self.slow_seconds / 4))
            size, now = await asyncio.to_thread(_size_of, folder), time.monotonic()
            if size and not before:  # the first bytes: from now on it counts
                began, before, patience = now, size, self.slow_seconds
            elif now - began >= patience:
                if not before or size - before < self.min_bytes_per_second * patience:
                    return
                began, before = now, size


def _size_of(folder: Path) -> int:
    total = 0
    for path in folder.glob("recording.*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def _endpoint(proxy: str) -> list[tuple[str, int]]:
    """Where the proxy listens: the one address that may be private, because the operator says so."""
    if not proxy:
        return []
    parts = urlsplit(proxy)
    return [(parts.hostname or "", parts.port or 1080)]
