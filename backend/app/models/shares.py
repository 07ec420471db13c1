"""One transcript for somebody who is not in its workspace, or who may only read there."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, TenantMixin


class ShareLink(TenantMixin, Base):
    """Whoever has the link may read one job's text and hear its recording. The token is kept as a hash."""

    __tablename__ = "share_links"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    allow_download: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Permission(StrEnum):
    """EDIT: may also change what people change in a transcript (names of speakers)."""

    VIEW = "view"
    EDIT = "edit"


class JobGrant(TenantMixin, Base):
    """One job for one account, whatever else they may see of the workspace."""

    __tablename__ = "job_grants"

    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    permission: Mapped[str]
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
