"""Calls to providers: written before they are made, so that a restart knows what was begun."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, BigInt, TenantMixin


class CallState(StrEnum):
    """PLANNED: about to be made, its outcome is unknown until SUBMITTED has the provider's id. DONE and FAILED are
    final; CLEANED: the provider has been told to delete what it kept."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    DONE = "done"
    FAILED = "failed"
    CLEANED = "cleaned"


class ExternalCall(TenantMixin, Base):
    """One piece of work at a provider: a whole recording, or one window of it (`window`).

    `upload_url` is where the provider put the recording, `provider_id` its name for the work. `cost_micros` is what it
    is expected to cost, in millionths of a US dollar. The rows of a day are what CLOUD_DAILY_LIMIT counts, so they
    outlive their job.
    """

    __tablename__ = "external_calls"
    __table_args__ = (sa.Index("ix_external_calls_created", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    run: Mapped[int]
    window: Mapped[int]
    engine: Mapped[str]
    model: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=CallState.PLANNED)
    upload_url: Mapped[str | None]
    provider_id: Mapped[str | None]
    audio_ms: Mapped[int] = mapped_column(BigInt, default=0)
    cost_micros: Mapped[int] = mapped_column(BigInt, default=0)
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    submitted_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
