"""Who did what: security-relevant acts and access to data. Rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, JSONType


class AuditEntry(Base):
    """`action` is noun.verb ("share_link.created"); `detail` holds no secret and no text of a transcript.

    Ids are no foreign keys: an entry outlives what it tells of. `workspace_id` is None for acts on an account.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        sa.Index("ix_audit_entries_workspace_created", "workspace_id", "created_at", "id"),
        sa.Index("ix_audit_entries_user_created", "user_id", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    api_key_id: Mapped[UUID | None]
    action: Mapped[str]
    target_type: Mapped[str | None]
    target_id: Mapped[str | None]
    address: Mapped[str] = mapped_column(default="")
    user_agent: Mapped[str] = mapped_column(default="")
    request_id: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSONType, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
