"""What a workspace has used, and what is set aside for work under way."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, BigInt, TenantMixin


class UsageState(StrEnum):
    """RESERVED before the work, SETTLED to what it took, RELEASED where nothing came of it."""

    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"


class UsageRecord(TenantMixin, Base):
    """Audio that one run of a job was charged with. `audio_ms` is an estimate until SETTLED. It outlives its job."""

    __tablename__ = "usage_records"
    __table_args__ = (
        sa.UniqueConstraint("job_id", "run"),
        sa.Index("ix_usage_records_workspace_month", "workspace_id", "month"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID]
    run: Mapped[int]
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    month: Mapped[str]  # "2026-11", UTC, of its creation
    state: Mapped[str] = mapped_column(default=UsageState.RESERVED)
    audio_ms: Mapped[int] = mapped_column(BigInt, default=0)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    settled_at: Mapped[datetime | None]
