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
    """What one run of a job heard. A job that ran again with another engine has several; it names its newest.

    `media_sha256` and `fingerprint` (what was asked, of which engine and libraries) are the key under which the
    workspace finds it again for the same recording.
    """

    __tablename__ = "transcripts"
    __table_args__ = (
        sa.UniqueConstraint("job_id", "run"),
        sa.Index("ix_transcripts_cache", "workspace_id", "media_sha256", "fingerprint"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey("jobs.id", ondelete="CASCADE"))
    run: Mapped[int]
    language: Mapped[str | None]
    duration_ms: Mapped[int] = mapped_column(BigInt)
    engine: Mapped[str]
    model: Mapped[str | None]
    low_accuracy: Mapped[bool]
    speech_ms: Mapped[int | None] = mapped_column(BigInt)
    covered_ms: Mapped[int | None] = mapped_column(BigInt)
    gaps: Mapped[list[Any]] = mapped_column(JSONType, default=list, server_default="[]")
    fingerprint: Mapped[str | None]
    media_sha256: Mapped[str | None]
    warnings: Mapped[list[Any]] = mapped_column(JSONType, default=list)
    text_key: Mapped[
        str | None
    ]  # where TXT and JSON are kept in the store; None until they have been written
    json_key: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Speaker(TenantMixin, Base):
    """The name that people gave to a speaker's label; it outlives runs of its job."""

    __tablename__ = "speakers"

    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


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
