"""Mails that have to go out: written in the transaction that causes them, sent from here until it works."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base


class MailState(StrEnum):
    """FAILED: given up after the last try."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class Mail(Base):
    """One message in plain text. The body goes once it was sent: it may hold a token."""

    __tablename__ = "mails"
    __table_args__ = (sa.Index("ix_mails_queue", "state", "run_after"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    to: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str]
    body: Mapped[str]
    state: Mapped[str] = mapped_column(default=MailState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    run_after: Mapped[datetime] = mapped_column(default=utcnow)
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    sent_at: Mapped[datetime | None]
