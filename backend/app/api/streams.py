"""Follows event rows for a watcher, whatever the transport: replay first, then as they come."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from app.api.deps import Tenant
from app.db.away import is_away
from app.db.session import TenantSession
from app.factory import Container
from app.models import FINAL
from app.services.identity.doorkeeper import MemberPass, Pass
from app.services.jobs import events
from app.services.jobs.bus import Watcher
from app.services.jobs.views import job_view

HEARTBEAT_SECONDS = 15.0
AWAY_SECONDS = 1.0
FAR_BEHIND = 2000  # rows of a workspace: whoever missed more reads the list anew instead
NEVER_GIVEN = sys.maxsize  # for a list's id that is none of ours

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


def member_pass(tenant: Tenant) -> MemberPass:
    """What an open stream of a member stands on."""
    principal = tenant.principal
    key = principal.key.id if principal.key is not None else None
    return MemberPass(tenant.user_id, tenant.workspace_id, principal.session_id, key)


def follow_job(
    container: Container, tenant: Tenant, job_id: UUID, after: int | None
) -> AsyncIterator[Message]:
    """Events of one job for a member of its workspace, as `follow_shared`."""
    return follow_shared(container, tenant, job_id, after, member_pass(tenant))


async def follow_shared(
    container: Container, viewer: Viewer, job_id: UUID, after: int | None, shown: Pass
) -> AsyncIterator[Message]:
    """Events of one job after `after`; None begins with the job as it stands. Ends after the job's `end`, and soon
    after the pass `shown` does not hold any more."""
    with container.bus.watch(viewer.workspace_id, job_id) as watcher:
        last = after
        if last is None:
            async with container.database.tenant(viewer.workspace_id, read_only=True) as session:
                job = await container.jobs.get(session, job_id)
            last = job.event_seq - (1 if job.status in FINAL else 0)  # its `end` still has to come
            yield Message("status", last, job_view(job))

        async def read(session: TenantSession, seen: int) -> Sequence[events.Event]:
            return await events.read_job_events(session, job_id, seen)

        async for message in _follow(container, viewer, watcher, read, job_id, last, shown):
            yield message
            ended = message.type == "end" and message.seq is not None
            if ended and await job_is_over(container, viewer, job_id, message.seq or 0):
                return


async def follow_workspace(container: Container, tenant: Tenant, after: int | None) -> AsyncIterator[Message]:
    """Events of all the workspace's jobs after `after`; None begins with the jobs that run now. Never ends by itself.

    Who is far behind, or names an id that has not been yet (from before a restore, or made up), gets `resync` instead
    of what was missed: the list has to be read anew.
    """
    with container.bus.watch(tenant.workspace_id, None) as watcher:
        async with container.database.tenant(tenant.workspace_id, read_only=True) as session:
            newest = await events.newest_workspace_seq(session)
            running = await events.running_jobs(session) if after is None else []
        last = newest if after is None else after
        if not newest - FAR_BEHIND <= last <= newest:
            last = newest
            yield Message("resync", last, {})
        for job in running:
            yield Message("status", last, job_view(job))
        shown, read = member_pass(tenant), events.read_workspace_events
        async for message in _follow(container, tenant, watcher, read, None, last, shown):
            yield message


async def _follow(
    container: Container,
    viewer: Viewer,
    watcher: Watcher,
    read: ReadPage,
    job_id: UUID | None,
    last: int,
    shown: Pass,
) -> AsyncIterator[Message]:
    """Rows after `last` in order, progress and deletions between them, heartbeats in silence.

    Ends when the server stops or the caller may not look any more. No transaction is open while it waits.
    """
    beat, rung = time.monotonic(), True
    with container.doorkeeper.admit(shown, watcher.dismiss):
        while not container.bus.closing and not watcher.dismissed:
            page = await _page(container, viewer, watcher, read, job_id, last) if rung else ()
            for event in page:
                last = event.seq
                yield Message(event.type, event.seq, event.data)
            fresh = [] if page else watcher.take_progress()
            for progress in fresh:
                yield Message("progress", None, progress)
            gone, more = watcher.take_removed()
            for removed in gone:
                yield Message("removed", None, {"job_id": str(removed)})
            if more:
                yield Message("resync", None, {})
            if page or fresh or gone:
                beat = time.monotonic()
            rung = bool(page) or await watcher.wait(max(0.0, beat + HEARTBEAT_SECONDS - time.monotonic()))
            if time.monotonic() - beat >= HEARTBEAT_SECONDS:
                beat = time.monotonic()
                yield HEARTBEAT


async def _page(
    container: Container, viewer: Viewer, watcher: Watcher, read: ReadPage, job_id: UUID | None, last: int
) -> Sequence[events.Event]:
    """The next rows; none while the database is away: whoever watches sees silence, and goes on where it was."""
    try:
        return await _read_page(container, viewer, watcher, read, job_id, last)
    except Exception as error:
        if not is_away(error):
            raise
        await asyncio.sleep(AWAY_SECONDS)
        watcher.wake()
        return ()


async def _read_page(
    container: Container, viewer: Viewer, watcher: Watcher, read: ReadPage, job_id: UUID | None, last: int
) -> Sequence[events.Event]:
    async def load() -> Sequence[events.Event]:
        async with container.database.tenant(viewer.workspace_id, read_only=True) as session:
            return await read(session, last)

    # What all who ask for the same thing at the same time have in common; each ring makes it another thing.
    return await container.pages.read((viewer.workspace_id, job_id, last, watcher.rings), load)
