"""The tenant, and who belongs to it in which role."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, BigInt, JSONType


class Role(StrEnum):
    """What a member may do, strongest first."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class Workspace(Base):
    """The tenant. `event_seq` numbers its events without gaps, in the order of their commits.

    `allow_cloud` False keeps its recordings on this machine; `vocabulary` and `prompt` are hints for all its jobs.
    """

    __tablename__ = "workspaces"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    event_seq: Mapped[int] = mapped_column(BigInt, default=0)
    allow_cloud: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    vocabulary: Mapped[list[Any]] = mapped_column(JSONType, default=list, server_default="[]")
    prompt: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Membership(Base):
    """One user in one workspace."""

    __tablename__ = "memberships"

    workspace_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
