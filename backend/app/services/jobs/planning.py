"""What a run stands on: which engine, which plan, and whether earlier windows may be kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.asr.engines.stub import stub_transcription
from app.asr.pipeline import plan_fingerprint
from app.asr.selection import Choice
from app.asr.types import Mode, TranscribeOptions, Window, WindowResult
from app.db.session import SystemSession, TenantSession
from app.models import HistoryKind, Job, JobWindow, SpeakerState
from app.services.history import tell
from app.services.jobs import claims
from app.services.jobs.checkpoints import JobSink


class HandOverError(Exception):
    """This process has done its part of the job: another kind of worker goes on."""


class MustWaitError(Exception):
    """No engine can take the job now; `reason` is shown to people and the job is looked at again soon."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def begin_run(
    session: SystemSession, claim: claims.Claim, choice: Choice, options: TranscribeOptions
) -> Job:
    """Pin the engine; keep the stored plan where it is of the same kind, else start a new run openly.

    The fingerprint covers library versions, cutter settings and the model, so that a resume cuts and hears exactly
    as before.
    """
    assert choice.spec is not None
    fingerprint = plan_fingerprint(options, choice.spec)
    values: dict[str, Any] = {
        "engine": choice.spec.engine,
        "model": choice.spec.model,
        "low_accuracy": choice.spec.low_accuracy,
        "engine_reasons": list(choice.reasons),
        "plan_fingerprint": fingerprint,
    }
    job = await claims.guarded(session, claim, {})
    known = (job.engine, job.model, job.engine_reasons)
    if job.plan_fingerprint is not None and job.plan_fingerprint != fingerprint:
        await forget_plan(session, claim)
    job = await claims.guarded(session, claim, values)
    if (job.engine, job.model, job.engine_reasons) != known:
        await tell(
            session,
            job,
            HistoryKind.ENGINE_CHOSEN,
            engine=job.engine,
            model=job.model,
            reasons=job.engine_reasons,
        )
    return job


async def forget_plan(session: SystemSession, claim: claims.Claim) -> None:
    """A new run: no window of the old plan can meet one of the new."""
    job = await claims.guarded(session, claim, new_run_values())
    await session.execute(sa.delete(JobWindow).where(JobWindow.job_id == job.id, JobWindow.run < job.run))


def new_run_values() -> dict[str, Any]:
    """Column values that start a job over."""
    return {
        "run": Job.run + 1,
        "plan_fingerprint": None,
        "plan_complete": False,
        "windows_planned": 0,
        "windows_committed": 0,
        "windows_executed": 0,
        "detected_language": None,
        "speech_ms": None,
        "covered_ms": None,
        "gaps": [],
        "cached_from": None,
        "speaker_state": sa.case((Job.mode == Mode.DIALOGUE, SpeakerState.PENDING), else_=SpeakerState.NONE),
        "speaker_reason": None,
        "speaker_turns": None,
        "warnings": [],
        "progress": 0.0,
        "eta_seconds": None,
    }


async def take_up(session: TenantSession, job_id: UUID) -> dict[str, Any]:
    """Prepares the windows of a job that ended early for another run; answers what changes in its row.

    Those that were given up are listened to again, and crashes of the last run are not held against them.
    """
    mine = sa.update(JobWindow).where(JobWindow.job_id == job_id)
    await session.execute(mine.values(crashes=0).execution_options(synchronize_session=False))
    given_up = await session.execute(
        mine.where(JobWindow.error_code.is_not(None), JobWindow.committed_at.is_not(None))
        .values(committed_at=None, executions=0)
        .returning(JobWindow.idx)
        .execution_options(synchronize_session=False)
    )
    return {"windows_committed": Job.windows_committed - len(given_up.all())}


async def write_stub(source: Path, filename: str, sink: JobSink) -> None:
    """The stub engine hears nothing: a text file is its own transcript, anything else gets an explanation."""
    result = await asyncio.to_thread(stub_transcription, source, filename)
    window = Window(0, 0, result.summary.duration_ms)
    if await sink.plan(window) is None:
        await sink.started(window)
        heard = WindowResult(tuple(result.segments), result.language, covered_ms=window.duration_ms)
        await sink.committed(window, heard)
    await sink.decoded(result.summary, None)
