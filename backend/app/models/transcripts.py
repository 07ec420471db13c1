"""The machine's result: immutable, made once a run of a job."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, BigInt, JSONType, TenantMixin


class Transcript(TenantMixin, Base):
    """What one run of a job heard. A job that ran again with another engine has several; it names its newest."""

    __tablename__ = "transcripts"
    __table_args__ = (sa.UniqueConstraint("job_id", "run"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey("jobs.id", ondelete="CASCADE"))
    run: Mapped[int]
    language: Mapped[str | None]
    duration_ms: Mapped[int] = mapped_column(BigInt)
    engine: Mapped[str]
    model: Mapped[str | None]
    low_accuracy: Mapped[bool]
    warnings: Mapped[list[Any]] = mapped_column(JSONType, default=list)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Segment(TenantMixin, Base):
    """A phrase. `words` is a flat list of five integers a word: offset and length in `text`, start_ms, end_ms,
    confidence in percent (-1: unknown)."""

    __tablename__ = "segments"

    transcript_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("transcripts.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    segment_id: Mapped[str]
    start_ms: Mapped[int] = mapped_column(BigInt)
    end_ms: Mapped[int] = mapped_column(BigInt)
    text: Mapped[str]
    speaker: Mapped[str | None]
    confidence: Mapped[float | None] = mapped_column(sa.Float)
    flags: Mapped[list[Any]] = mapped_column(JSONType, default=list)
    words: Mapped[list[Any]] = mapped_column(JSONType, default=list)
