"""The bell: tells watchers and workers that there is something new. Rows are the truth; a lost ring costs seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from app.services.jobs.relay import LocalRelay, Note, Relay

MAX_PROGRESS = 64  # jobs of which a reader that does not read keeps a percentage
MAX_REMOVED = 500  # ids of deleted jobs, likewise: as many as one request deletes


class _Group:
    """Those who watch the same thing. `rings` counts, so that a page of rows that was read before a ring is told from one
    that was read after it."""

    def __init__(self) -> None:
        self.members: set[Watcher] = set()
        self.rings = 0


class Watcher:
    """One open stream. Holds a flag, the latest progress of some jobs and the ids of some that are gone: a slow reader
    never grows a buffer."""

    def __init__(self, group: _Group) -> None:
        self._group = group
        self._wake = asyncio.Event()
        self.dismissed = False
        self._progress: dict[str, dict[str, Any]] = {}
        self._removed: list[UUID] = []
        self._removed_more = False

    @property
    def rings(self) -> int:
        """How often it has rung for what this one watches."""
        return self._group.rings

    def wake(self) -> None:
        self._wake.set()

    def dismiss(self) -> None:
        """Whoever watches may not look any more."""
        self.dismissed = True
        self._wake.set()

    def put_progress(self, progress: dict[str, Any]) -> None:
        self._progress.pop(progress["job_id"], None)
        self._progress[progress["job_id"]] = progress
        if len(self._progress) > MAX_PROGRESS:
            del self._progress[next(iter(self._progress))]
        self._wake.set()

    def take_progress(self) -> list[dict[str, Any]]:
        taken, self._progress = list(self._progress.values()), {}
        return taken

    def put_removed(self, job_id: UUID) -> None:
        if len(self._removed) < MAX_REMOVED:
            self._removed.append(job_id)
        else:
            self._removed_more = True
        self._wake.set()

    def take_removed(self) -> tuple[list[UUID], bool]:
        """Jobs that are gone since the last call, and whether there were more than could be kept."""
        taken = self._removed, self._removed_more
        self._removed, self._removed_more = [], False
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
    """Fan-out inside this process; `relay` carries it to others and brings theirs.

    `on_work` hears that jobs may be claimed, `on_interrupt` that a job has to stop at once if it runs here, `on_missed`
    that rings may have been lost. `closing` tells streams to end, so that a stopping server is not held up.
    """

    def __init__(self, relay: Relay | None = None) -> None:
        self._relay: Relay = relay or LocalRelay()
        self._groups: dict[tuple[UUID, UUID | None], _Group] = {}
        self.on_work: list[Callable[[], None]] = []
        self.on_interrupt: list[Callable[[UUID], None]] = []
        self.on_missed: list[Callable[[], None]] = []
        self.closing = False

    def start(self) -> None:
        """Begin to hear other processes."""
        self._relay.start(self._deliver, self._look_again)

    async def stop(self) -> None:
        """What was told last still goes out, where it can."""
        await self._relay.stop()

    @property
    def hears_all(self) -> bool:
        """Whether rings of all processes arrive now; else somebody has to look at the rows every few seconds."""
        return self._relay.hears

    @property
    def watchers(self) -> int:
        """How many streams are open."""
        return sum(len(group.members) for group in self._groups.values())

    @contextmanager
    def watch(self, workspace_id: UUID, job_id: UUID | None) -> Iterator[Watcher]:
        """A watcher of one job, or with None of all jobs of the workspace."""
        key = (workspace_id, job_id)
        group = self._groups.setdefault(key, _Group())
        watcher = Watcher(group)
        group.members.add(watcher)
        try:
            yield watcher
        finally:
            group.members.discard(watcher)
            if not group.members and self._groups.get(key) is group:
                del self._groups[key]

    def ring(self, workspace_id: UUID, job_id: UUID) -> None:
        """New event rows of this job have been committed."""
        self._tell(Note("ring", workspace_id, job_id))

    def progress(self, workspace_id: UUID, progress: dict[str, Any]) -> None:
        """A percentage; may be lost. `progress` is `{job_id, progress, stage, eta_seconds}`."""
        self._tell(Note("progress", workspace_id, UUID(progress["job_id"]), progress))

    def work(self) -> None:
        """There may be something to claim, for workers anywhere."""
        self._tell(Note("work"))

    def interrupt(self, job_id: UUID) -> None:
        """A job was cancelled or deleted: whoever works on it stops at once."""
        self._tell(Note("interrupt", job_id=job_id))

    def removed(self, workspace_id: UUID, job_id: UUID) -> None:
        """A job was deleted: lists strike it out, and its own streams end. May be lost."""
        self._tell(Note("removed", workspace_id, job_id))

    def watched(self) -> list[tuple[UUID, UUID | None]]:
        """What somebody watches here: (workspace, job), or with None for a job the whole list."""
        return list(self._groups)

    def ring_again(self, workspace_id: UUID, job_id: UUID | None) -> None:
        """A ring may have been lost: those who watch exactly this look at the rows."""
        group = self._groups.get((workspace_id, job_id))
        if group is not None:
            self._ring(group)

    def close(self) -> None:
        self.closing = True
        for group in self._groups.values():
            self._ring(group)

    def _tell(self, note: Note) -> None:
        self._deliver(note)
        self._relay.publish(note)

    def _deliver(self, note: Note) -> None:
        if note.kind == "work":
            for hear in self.on_work:
                hear()
        elif note.kind == "interrupt" and note.job_id is not None:
            for stop in self.on_interrupt:
                stop(note.job_id)
        elif note.kind == "removed" and note.workspace_id is not None and note.job_id is not None:
            self._strike(note.workspace_id, note.job_id)
        elif note.workspace_id is not None:
            for group in self._watching(note.workspace_id, note.job_id):
                if note.kind == "ring":
                    self._ring(group)
                elif note.data is not None:
                    for watcher in group.members:
                        watcher.put_progress(note.data)

    @staticmethod
    def _ring(group: _Group) -> None:
        group.rings += 1
        for watcher in group.members:
            watcher.wake()

    def _strike(self, workspace_id: UUID, job_id: UUID) -> None:
        """Those who watch nothing but the job have seen it all; of the whole list only the job goes."""
        if alone := self._groups.get((workspace_id, job_id)):
            for watcher in alone.members:
                watcher.dismiss()
        if whole := self._groups.get((workspace_id, None)):
            for watcher in whole.members:
                watcher.put_removed(job_id)

    def _watching(self, workspace_id: UUID, job_id: UUID | None) -> Iterator[_Group]:
        for key in {(workspace_id, job_id), (workspace_id, None)}:
            if key in self._groups:
                yield self._groups[key]

    def _look_again(self) -> None:
        """Rings may have been missed."""
        for look in (*self.on_missed, *self.on_work):
            look()
