"""A transcription's life: the job (also the queue), its windows (checkpoints) and its events."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, BigInt, JSONType, TenantMixin


class JobStatus(StrEnum):
    """The states of DESIGN.md section 3. A job that waits for another try is PENDING with `run_after`."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})


class SpeakerState(StrEnum):
    """How far telling the speakers apart has come. NONE: not asked for; UNAVAILABLE: it cannot run here, and
    `Job.speaker_reason` says why; FAILED may be tried again."""

    NONE = "none"
    PENDING = "pending"
    DONE = "done"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


class Job(TenantMixin, Base):
    """The truth about one transcription. Only `app.services.jobs.claims` moves its status.

    `fence` grows with every claim and release; a write that carries an old one matches no row. `run` grows when the
    work starts over on a new plan (another engine or model), so that windows of one plan never meet another's.
    `gaps` holds [start_ms, end_ms] pairs of speech without text; `covered_ms` of `speech_ms` have text. `speaker_turns`
    holds [start_ms, end_ms, speaker] triples. `cached_from` is the job whose stored text this one was given.

    `error_detail` says more of an error: {window, log_tail, advice}, each where it is known.

    A job of a link has a `source_url` and no `file_id` until the recording has been fetched. `source` is what the site
    told: {title, site, page_url, uploader, playlist, position}. `expand_playlist` makes one job of each of its entries.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        sa.Index("ix_jobs_workspace_created", "workspace_id", "created_at", "id"),
        sa.Index("ix_jobs_workspace_status_created", "workspace_id", "status", "created_at", "id"),
        sa.Index("ix_jobs_queue", "status", "run_after", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    file_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("media_files.id"), index=True)
    transcript_id: Mapped[UUID | None]
    filename: Mapped[str]

    # Where it comes from, where not from an upload
    source_url: Mapped[str | None]
    source: Mapped[dict[str, Any]] = mapped_column(JSONType, default=dict, server_default="{}")
    expand_playlist: Mapped[bool] = mapped_column(default=False, server_default=sa.false())

    # What was asked
    language: Mapped[str]
    mode: Mapped[str]
    vad: Mapped[str]
    translate: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    vocabulary: Mapped[list[Any]] = mapped_column(JSONType, default=list, server_default="[]")
    prompt: Mapped[str] = mapped_column(default="", server_default="")
    speakers: Mapped[int | None]
    max_speakers: Mapped[int | None]
    fresh: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    requested_engine: Mapped[str | None]
    requested_model: Mapped[str | None]

    # What is used
    engine: Mapped[str | None]
    model: Mapped[str | None]
    low_accuracy: Mapped[bool] = mapped_column(default=False)
    engine_reasons: Mapped[list[Any]] = mapped_column(JSONType, default=list)
    detected_language: Mapped[str | None]

    # Where it stands
    status: Mapped[str] = mapped_column(default=JobStatus.PENDING)
    stage: Mapped[str | None]
    progress: Mapped[float] = mapped_column(sa.Float, default=0.0)
    eta_seconds: Mapped[int | None]
    wait_reason: Mapped[str | None]
    warnings: Mapped[list[Any]] = mapped_column(JSONType, default=list)
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    error_detail: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    duration_ms: Mapped[int | None] = mapped_column(BigInt)
    speech_ms: Mapped[int | None] = mapped_column(BigInt)
    covered_ms: Mapped[int | None] = mapped_column(BigInt)
    gaps: Mapped[list[Any]] = mapped_column(JSONType, default=list, server_default="[]")
    cached_from: Mapped[UUID | None]
    processing_time_ms: Mapped[int | None] = mapped_column(BigInt)

    # Who said what: a stage of its own, after the text
    speaker_state: Mapped[str] = mapped_column(default=SpeakerState.NONE, server_default="none")
    speaker_reason: Mapped[str | None]
    speaker_turns: Mapped[list[Any] | None] = mapped_column(sa.JSON(none_as_null=True), deferred=True)

    # The queue
    run_after: Mapped[datetime] = mapped_column(default=utcnow)
    attempt: Mapped[int] = mapped_column(default=1)
    fence: Mapped[int] = mapped_column(BigInt, default=0)
    claimed_at: Mapped[datetime | None]
    lease_owner: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None] = mapped_column(index=True)
    cancel_requested_at: Mapped[datetime | None]

    # Counters by cause
    engine_errors: Mapped[int] = mapped_column(default=0)
    host_losses: Mapped[int] = mapped_column(default=0)

    # The plan
    run: Mapped[int] = mapped_column(default=1)
    plan_fingerprint: Mapped[str | None]
    plan_complete: Mapped[bool] = mapped_column(default=False)
    windows_planned: Mapped[int] = mapped_column(default=0)
    windows_committed: Mapped[int] = mapped_column(default=0)
    windows_executed: Mapped[int] = mapped_column(default=0)
    event_seq: Mapped[int] = mapped_column(BigInt, default=0)

    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobWindow(TenantMixin, Base):
    """A checkpoint: its plan is committed before it runs, `segments` when they are there. `fence` is that of the claim
    that began it last, and so, once committed, of the one that made them.

    `speech` and `gaps` hold [start_ms, end_ms] pairs; `segments` the form of `app.services.transcripts.codec`, None
    until committed. `error_code` says why a window was given up. `reruns` counts how often a person asked for it again.
    """

    __tablename__ = "job_windows"

    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    run: Mapped[int] = mapped_column(primary_key=True)
    idx: Mapped[int] = mapped_column(primary_key=True)
    start_ms: Mapped[int] = mapped_column(BigInt)
    end_ms: Mapped[int] = mapped_column(BigInt)
    speech: Mapped[list[Any]] = mapped_column(JSONType)
    hard_cut: Mapped[bool] = mapped_column(default=False)
    channel: Mapped[int | None]
    reruns: Mapped[int] = mapped_column(default=0, server_default="0")
    executions: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)
    language: Mapped[str | None]
    engine_ms: Mapped[int | None] = mapped_column(BigInt)
    covered_ms: Mapped[int | None] = mapped_column(BigInt)
    gaps: Mapped[list[Any]] = mapped_column(JSONType, default=list, server_default="[]")
    error_code: Mapped[str | None]
    segments: Mapped[list[Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    fence: Mapped[int | None] = mapped_column(BigInt)
    committed_at: Mapped[datetime | None]


class JobEvent(TenantMixin, Base):
    """What watchers replay: `seq` without gaps in its job, `workspace_seq` without gaps in its workspace.

    `data` is small: a `segments` event names its run and window, whose text is read from the checkpoint.
    """

    __tablename__ = "job_events"
    __table_args__ = (sa.UniqueConstraint("workspace_id", "workspace_seq"),)

    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInt, primary_key=True)
    workspace_seq: Mapped[int] = mapped_column(BigInt)
    type: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONType)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
