"""Event rows: written in the transaction that changes the job, read again by any number of watchers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from app.db.session import SystemSession, TenantSession
from app.models import Job, JobEvent, JobStatus, JobWindow, Workspace
from app.services.jobs.announcements import announce_end
from app.services.jobs.bus import EventBus
from app.services.jobs.views import job_view
from app.services.transcripts.codec import segment_id, segment_view

PAGE = 200


@dataclass(frozen=True, slots=True)
class Event:
    """As watchers see it; `seq` counts in the job or in the workspace, as asked."""

    seq: int
    type: str
    data: dict[str, Any]


async def append(
    session: TenantSession | SystemSession,
    bus: EventBus,
    job: Job,
    events: Sequence[tuple[str, dict[str, Any]]],
) -> None:
    """Write events of `job` and ring after the commit.

    Takes the job's row lock first and the workspace's second, always in this order, so that numbers come out
    without gaps and in the order of the commits, and two writers cannot lock each other.
    """
    await session.flush()
    job_seq = await _advance(session, Job, job.id, len(events))
    workspace_seq = await _advance(session, Workspace, job.workspace_id, len(events))
    set_committed_value(job, "event_seq", job_seq)
    for back, (kind, data) in zip(range(len(events) - 1, -1, -1), events, strict=True):
        session.add(
            JobEvent(
                job_id=job.id,
                workspace_id=job.workspace_id,
                seq=job_seq - back,
                workspace_seq=workspace_seq - back,
                type=kind,
                data=data,
            )
        )
    workspace_id, job_id = job.workspace_id, job.id
    session.after_commit(lambda: bus.ring(workspace_id, job_id))


async def _advance(
    session: TenantSession | SystemSession, table: type[Job | Workspace], row_id: UUID, count: int
) -> int:
    statement = (
        sa.update(table)
        .where(table.id == row_id)
        .values(event_seq=table.event_seq + count)
        .returning(table.event_seq)
        .execution_options(synchronize_session=False)
    )
    last: int = (await session.execute(statement)).scalar_one()
    return last


async def append_status(session: TenantSession | SystemSession, bus: EventBus, job: Job) -> None:
    """The job as it stands now."""
    await append(session, bus, job, [("status", job_view(job))])


async def append_end(session: TenantSession | SystemSession, bus: EventBus, job: Job) -> None:
    """The last two events of a run, the final status and `end`, and what other systems are told of it."""
    end = {"job_id": str(job.id), "status": str(job.status)}
    await append(session, bus, job, [("status", job_view(job)), ("end", end)])
    await announce_end(session, job)


async def _expand(session: TenantSession, events: Sequence[JobEvent], *, of_workspace: bool) -> list[Event]:
    """Fill `segments` events from their checkpoints; a run that was started over has none any more."""
    keys = [(e.job_id, e.data["run"], e.data["window"]) for e in events if e.type == "segments"]
    texts: dict[tuple[UUID, int, int], list[Any]] = {}
    if keys:
        rows = await session.execute(
            sa.select(JobWindow).where(sa.tuple_(JobWindow.job_id, JobWindow.run, JobWindow.idx).in_(keys))
        )
        texts = {(w.job_id, w.run, w.idx): w.segments or [] for w in rows.scalars()}
    expanded = []
    for event in events:
        data = event.data
        if event.type == "segments":
            window = data["window"]
            packed = texts.get((event.job_id, data["run"], window), [])
            data = {
                "job_id": str(event.job_id),
                "window": window,
                "segments": [segment_view(segment_id(window, n), s) for n, s in enumerate(packed)],
            }
        expanded.append(Event(event.workspace_seq if of_workspace else event.seq, event.type, data))
    return expanded


async def read_job_events(session: TenantSession, job_id: UUID, after: int) -> list[Event]:
    """Up to a page of a job's events with `seq` > `after`, in order."""
    rows = await session.execute(
        sa.select(JobEvent)
        .where(JobEvent.job_id == job_id, JobEvent.seq > after)
        .order_by(JobEvent.seq)
        .limit(PAGE)
    )
    return await _expand(session, rows.scalars().all(), of_workspace=False)


async def read_workspace_events(session: TenantSession, after: int) -> list[Event]:
    """Up to a page of the workspace's events with `workspace_seq` > `after`, in order."""
    rows = await session.execute(
        sa.select(JobEvent)
        .where(JobEvent.workspace_id == session.workspace_id, JobEvent.workspace_seq > after)
        .order_by(JobEvent.workspace_seq)
        .limit(PAGE)
    )
    return await _expand(session, rows.scalars().all(), of_workspace=True)


async def newest_workspace_seq(session: TenantSession) -> int:
    """The number of the workspace's latest event."""
    workspace = await session.get_one(Workspace, session.workspace_id)
    return workspace.event_seq


async def running_jobs(session: TenantSession) -> list[Job]:
    """Jobs that are being worked on, for a watcher that just opened its eyes."""
    rows = await session.execute(
        sa.select(Job).where(Job.workspace_id == session.workspace_id, Job.status == JobStatus.PROCESSING)
    )
    return list(rows.scalars())
