"""What must hold after every step of the claim machine, whatever was done; and a database that forgets to answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.db.away import DatabaseAwayError
from app.db.session import Database, SystemSession
from app.models import (
    FINAL,
    Job,
    JobEvent,
    JobStatus,
    JobWindow,
    Segment,
    Transcript,
    UsageRecord,
    UsageState,
    Workspace,
)


class ForgetfulDatabase(Database):
    """Done but timed out: commits the next system transaction, and says that the database is away."""

    forget_next = False

    @asynccontextmanager
    async def system(self, *, read_only: bool = False) -> AsyncIterator[SystemSession]:
        forget = self.forget_next and not read_only
        if forget:
            self.forget_next = False
        async with super().system(read_only=read_only) as session:
            yield session
        if forget:
            raise DatabaseAwayError


@dataclass
class Promise:
    """What was accepted, and what the test knows must be so."""

    workspace_id: UUID
    windows: int
    cancel_asked: bool = False  # before any end of this run
    ended: str | None = None  # the final status, until somebody asks for another run
    fences: set[int] = field(default_factory=set)  # of the claims that were given out


async def check_rows(database: Database, promises: Mapping[UUID, Promise], touched: Collection[UUID]) -> None:
    """`touched` are workspaces that had jobs deleted, and their events with them."""
    async with database.system(read_only=True) as session:

        async def all_of(table: Any, *order: Any) -> list[Any]:
            return list((await session.execute(sa.select(table).order_by(*order))).scalars())

        jobs = await all_of(Job)
        windows = await all_of(JobWindow)
        transcripts = await all_of(Transcript)
        segments = await all_of(Segment, Segment.position)
        events = await all_of(JobEvent, JobEvent.job_id, JobEvent.seq)
        records = await all_of(UsageRecord)
        workspaces = await all_of(Workspace)
    assert {job.id for job in jobs} == set(promises), "a job was lost, or came back"
    for job in jobs:
        _check_state(job, promises[job.id])
        mine = [w for w in windows if w.job_id == job.id and w.run == job.run]
        _check_windows(job, promises[job.id], mine)
        _check_text(job, promises[job.id], [t for t in transcripts if t.job_id == job.id], segments)
        _check_usage(job, [r for r in records if r.job_id == job.id])
        seqs = [event.seq for event in events if event.job_id == job.id]
        assert seqs == list(range(1, job.event_seq + 1)), "events have gaps"
    for workspace in workspaces:
        numbers = sorted(e.workspace_seq for e in events if e.workspace_id == workspace.id)
        assert len(numbers) == len(set(numbers)), "two events of a workspace have one number"
        if workspace.id not in touched:
            assert numbers == list(range(1, workspace.event_seq + 1)), "a workspace's events have gaps"


def _check_state(job: Job, promise: Promise) -> None:
    status = JobStatus(job.status)
    if promise.ended is not None:
        assert status == promise.ended, f"{promise.ended} became {status} by itself"
    elif status in FINAL:
        promise.ended = status
    assert not (promise.cancel_asked and status == JobStatus.COMPLETED), "a cancel was overtaken"
    held = status == JobStatus.PROCESSING
    assert (job.lease_owner is not None, job.lease_expires_at is not None) == (held, held)


def _check_windows(job: Job, promise: Promise, windows: list[JobWindow]) -> None:
    committed = [w for w in windows if w.committed_at is not None]
    assert job.windows_planned == len(windows)
    assert job.windows_committed == len(committed)
    assert job.windows_executed == sum(w.executions for w in windows), (
        "an execution was counted twice, or not"
    )
    for window in committed:
        assert window.fence in promise.fences, "a window of a claim that never was"


def _check_text(job: Job, promise: Promise, transcripts: list[Transcript], segments: list[Segment]) -> None:
    for transcript in transcripts:
        said = [s.text for s in segments if s.transcript_id == transcript.id]
        whole = [[f"cut {cut} window {n}" for n in range(promise.windows)] for cut in (0, 1)]
        assert said in whole, f"a transcript is not the text of one plan: {said}"
    newest = [t for t in transcripts if t.run == job.run]
    if job.status == JobStatus.COMPLETED:
        assert [t.id for t in newest] == [job.transcript_id], "completed without its one transcript"
        assert job.plan_complete
        assert job.windows_planned == promise.windows
    else:
        assert not newest, "a transcript of a run that is not completed"


def _check_usage(job: Job, records: list[UsageRecord]) -> None:
    reserved = [r for r in records if r.state == UsageState.RESERVED]
    if job.status not in FINAL:
        assert reserved, "work for which nothing is set aside"
        return
    assert not reserved, "set aside for work that is over"
    if job.status == JobStatus.COMPLETED and len(records) == 1:
        assert records[0].audio_ms == job.duration_ms, "charged for something else than the recording"
