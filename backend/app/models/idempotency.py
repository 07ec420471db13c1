"""Requests that name themselves, so that a repeated one is answered and not done again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, TenantMixin


class IdempotencyKey(TenantMixin, Base):
    """One key of one user in one workspace, kept until `expires_at`.

    In work while `status` is None: `fence` then says whose turn it is, and after `locked_until` another request may
    take over. `key_hash` and `fingerprint` are SHA-256 in hex; `body` is the answer, sealed and without its secrets.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (sa.UniqueConstraint("workspace_id", "user_id", "key_hash"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    key_hash: Mapped[str]
    fingerprint: Mapped[str]
    fence: Mapped[int] = mapped_column(default=1)
    locked_until: Mapped[datetime]
    status: Mapped[int | None]
    body: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(index=True)
