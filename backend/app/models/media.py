"""Recordings and the uploads that bring them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, BigInt, TenantMixin


class RenditionState(StrEnum):
    """NONE: the original plays in browsers (or is not looked at yet). PENDING is work for the renditions task."""

    NONE = "none"
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class MediaFile(TenantMixin, Base):
    """A sealed recording. `filename` is display text only; `storage_key` is made by the server."""

    __tablename__ = "media_files"
    __table_args__ = (sa.Index("ix_media_files_workspace_created", "workspace_id", "created_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    filename: Mapped[str]
    size: Mapped[int] = mapped_column(BigInt)
    content_type: Mapped[str]
    storage_key: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str | None]
    duration_ms: Mapped[int | None] = mapped_column(BigInt)
    channels: Mapped[int | None]
    channel_layout: Mapped[str | None]
    peaks_key: Mapped[str | None]
    thumbnail_key: Mapped[str | None]
    rendition_state: Mapped[str] = mapped_column(default=RenditionState.NONE, index=True)
    rendition_key: Mapped[str | None]
    rendition_content_type: Mapped[str | None]
    rendition_attempts: Mapped[int] = mapped_column(default=0)
    rendition_lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class UploadState(StrEnum):
    """OPEN takes bytes; COMPLETED has its file; ABORTED was cancelled or expired; DELETING: the file's row is gone
    and its bytes have to follow, after a crash too."""

    OPEN = "open"
    COMPLETED = "completed"
    ABORTED = "aborted"
    DELETING = "deleting"


class Upload(TenantMixin, Base):
    """The promise of a file: declared size, plan of parts, and the store's own id of a multipart upload."""

    __tablename__ = "uploads"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    file_id: Mapped[UUID] = mapped_column(default=new_id, unique=True)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    filename: Mapped[str]
    size: Mapped[int] = mapped_column(BigInt)
    content_type: Mapped[str]
    method: Mapped[str]
    part_size: Mapped[int | None] = mapped_column(BigInt)
    part_count: Mapped[int | None]
    storage_key: Mapped[str] = mapped_column(unique=True)
    storage_upload: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=UploadState.OPEN, index=True)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
