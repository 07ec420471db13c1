"""Follows event rows for a watcher, whatever the transport: replay first, then as they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

from app.api.deps import Tenant, still_welcome
from app.db.session import TenantSession
from app.factory import Container
from app.models import FINAL
from app.services.jobs import events
from app.services.jobs.bus import Watcher
from app.services.jobs.views import job_view

HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 1.5  # with a wait in between: who was removed sees nothing any more within 5 s
POLL_SECONDS = 2.0  # finds rows of other processes, whose rings are not heard here

T = TypeVar("T")

Welcome = Callable[[], Coroutine[Any, Any, bool]]
ReadPage = Callable[[TenantSession, int], Awaitable[Sequence[events.Event]]]


class Viewer(Protocol):
    """A member of the workspace, or the holder of a share of one of its jobs."""

    @property
    def workspace_id(self) -> UUID: ...


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to send; `seq` is None for what cannot be replayed, `type` None for a heartbeat."""

    type: str | None
    seq: int | None = None
    data: dict[str, Any] | None = None


HEARTBEAT = Message(None)


async def job_is_over(container: Container, tenant: Viewer, job_id: UUID, after: int) -> bool:
    """True where a watcher that has seen `after` has seen all there will be. Raises `NotFoundError`."""
    async with container.database.tenant(tenant.workspace_id, read_only=True) as session:
        job = await container.jobs.get(session, job_id)
        return job.status in FINAL and after >= job.event_seq


async def known_sequence(container: Container, tenant: Viewer, job_id: UUID, after: int | None) -> int | None:
    """`after`, or None for an id that this job has not come to: from before a restore, or made up.

    Raises `NotFoundError`.
    """
    async with container.database.tenant(tenant.workspace_id, read_only=True) as session:
        job = await container.jobs.get(session, job_id)
    return after if after is not None and after <= job.event_seq else None


def follow_job(
    container: Container, tenant: Tenant, job_id: UUID, after: int | None
) -> AsyncIterator[Message]:
    """Events of one job for a member of its workspace, as `follow_shared`."""
    return follow_shared(container, tenant, job_id, after, partial(still_welcome, container, tenant))


async def follow_shared(
    container: Container, viewer: Viewer, job_id: UUID, after: int | None, welcome: Welcome
) -> AsyncIterator[Message]:
    """Events of one job after `after`; None begins with the job as it stands. Ends after the job's `end`, and soon
    after `welcome` has become untrue."""
    with container.bus.watch(viewer.workspace_id, job_id) as watcher:
        last = after
        if last is None:
            async with container.database.tenant(viewer.workspace_id, read_only=True) as session:
                job = await container.jobs.get(session, job_id)
            last = job.event_seq - (1 if job.status in FINAL else 0)  # its `end` still has to come
            yield Message("status", last, job_view(job))

        async def read(session: TenantSession, seen: int) -> Sequence[events.Event]:
            return await events.read_job_events(session, job_id, seen)

        async for message in _follow(container, viewer, watcher, read, last, welcome):
            yield message
            ended = message.type == "end" and message.seq is not None
            if ended and await job_is_over(container, viewer, job_id, message.seq or 0):
                return


async def follow_workspace(container: Container, tenant: Tenant, after: int | None) -> AsyncIterator[Message]:
    """Events of all the workspace's jobs after `after`; None begins with the jobs that run now. Never ends by itself."""
    with container.bus.watch(tenant.workspace_id, None) as watcher:
        async with container.database.tenant(tenant.workspace_id, read_only=True) as session:
            newest = await events.newest_workspace_seq(session)
            running = await events.running_jobs(session) if after is None else []
        last = newest if after is None or after > newest else after
        for job in running:
            yield Message("status", last, job_view(job))
        welcome = partial(still_welcome, container, tenant)
        async for message in _follow(container, tenant, watcher, events.read_workspace_events, last, welcome):
            yield message


async def _follow(
    container: Container, viewer: Viewer, watcher: Watcher, read: ReadPage, last: int, welcome: Welcome
) -> AsyncIterator[Message]:
    """Rows after `last` in order, progress between them, heartbeats in silence.

    Ends when the server stops or the caller may not look any more. No transaction is open while it waits.
    """
    beat = checked = time.monotonic()
    while not container.bus.closing:
        page = await _whole(_read_page(container, viewer, read, last))
        for event in page:
            last = event.seq
            yield Message(event.type, event.seq, event.data)
        fresh = [] if page else watcher.take_progress()
        for progress in fresh:
            yield Message("progress", None, progress)
        if page or fresh:
            beat = time.monotonic()
        if not page:
            await watcher.wait(POLL_SECONDS)
        now = time.monotonic()
        if now - beat >= HEARTBEAT_SECONDS:
            beat = now
            yield HEARTBEAT
        if now - checked >= CHECK_SECONDS:
            checked = now
            if not await _whole(welcome()):
                return


async def _read_page(
    container: Container, viewer: Viewer, read: ReadPage, last: int
) -> Sequence[events.Event]:
    async with container.database.tenant(viewer.workspace_id, read_only=True) as session:
        return await read(session, last)


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """A reader that goes away must not cut a query in the middle, which costs the pool its connection."""
    return await asyncio.shield(asyncio.create_task(work))
