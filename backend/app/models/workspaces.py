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

    `allow_cloud` False keeps its recordings on this machine; `vocabulary` and `prompt` are hints for all its jobs,
    `language` and `mode` what a job takes that names none. `media_days` and `transcript_days` say after how long
    recordings and texts go. A quota of None is no limit; an administrator of the server sets them.
    `served_at` is when one of its jobs was last claimed: the queue goes round.
    From `deleted_at` on nobody sees it any more, and its rows and bytes go.
    """

    __tablename__ = "workspaces"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    event_seq: Mapped[int] = mapped_column(BigInt, default=0)
    allow_cloud: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    vocabulary: Mapped[list[Any]] = mapped_column(JSONType, default=list, server_default="[]")
    prompt: Mapped[str] = mapped_column(default="", server_default="")
    language: Mapped[str] = mapped_column(default="auto", server_default="auto")
    mode: Mapped[str] = mapped_column(default="mono", server_default="mono")
    media_days: Mapped[int | None]
    transcript_days: Mapped[int | None]
    quota_minutes: Mapped[int | None]
    quota_storage_bytes: Mapped[int | None] = mapped_column(BigInt)
    quota_parallel_jobs: Mapped[int | None]
    quota_members: Mapped[int | None]
    served_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
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


class Invitation(Base):
    """A mailed link that makes whoever opens it, signed in under that address, a member. By hash, good once.

    `token_shown`: the inviter was shown the link, so that whoever holds it need not read mail to `email`.
    """

    __tablename__ = "invitations"
    __table_args__ = (sa.UniqueConstraint("workspace_id", "email"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(sa.ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    email: Mapped[str]
    role: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    token_shown: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    invited_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
