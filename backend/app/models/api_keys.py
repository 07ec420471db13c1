"""Keys for scripts and SDKs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, JSONType, TenantMixin


class Scope(StrEnum):
    """What a key may do in its workspace. No scope reaches accounts, members, keys or shares."""

    READ = "read"
    WRITE = "write"


class ApiKey(TenantMixin, Base):
    """A key of one member in one workspace; it can do what its scopes and the member's role both allow.

    Only the hash is kept; `prefix` is the first characters, by which people recognise it.
    """

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[Any]] = mapped_column(JSONType)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
