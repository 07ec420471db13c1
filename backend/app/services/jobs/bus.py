"""The bell: tells watchers in this process that there is something new. Rows are the truth; a lost ring costs seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID


class Watcher:
    """One open stream. Holds a flag and the latest progress of each job: a slow reader never grows a buffer."""

    def __init__(self, workspace_id: UUID, job_id: UUID | None) -> None:
        self.workspace_id = workspace_id
        self.job_id = job_id
        self._wake = asyncio.Event()
        self._progress: dict[str, dict[str, Any]] = {}

    def wants(self, workspace_id: UUID, job_id: UUID) -> bool:
        return workspace_id == self.workspace_id and self.job_id in (None, job_id)

    def wake(self) -> None:
        self._wake.set()

    def put_progress(self, progress: dict[str, Any]) -> None:
        self._progress[progress["job_id"]] = progress
        self._wake.set()

    def take_progress(self) -> list[dict[str, Any]]:
        taken, self._progress = list(self._progress.values()), {}
        return taken

    async def wait(self, seconds: float) -> bool:
        """True when something rang, False after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True


class EventBus:
    """Fan-out inside one process. `closing` tells streams to end, so that a stopping server is not held up."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self.closing = False

    @property
    def watchers(self) -> int:
        """How many streams are open."""
        return len(self._watchers)

    @contextmanager
    def watch(self, workspace_id: UUID, job_id: UUID | None) -> Iterator[Watcher]:
        watcher = Watcher(workspace_id, job_id)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def ring(self, workspace_id: UUID, job_id: UUID) -> None:
        """New event rows of this job have been committed."""
        for watcher in self._watchers:
            if watcher.wants(workspace_id, job_id):
                watcher.wake()

    def progress(self, workspace_id: UUID, progress: dict[str, Any]) -> None:
        """A percentage; may be lost. `progress` is `{job_id, progress, stage, eta_seconds}`."""
        job_id = UUID(progress["job_id"])
        for watcher in self._watchers:
            if watcher.wants(workspace_id, job_id):
                watcher.put_progress(progress)

    def close(self) -> None:
        self.closing = True
        for watcher in self._watchers:
            watcher.wake()
