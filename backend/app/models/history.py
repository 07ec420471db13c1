"""What happened to a job and when, for people to read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, JSONType, TenantMixin


class HistoryKind(StrEnum):
    """The closed list of docs/api.md, History of a job."""

    CREATED = "created"
    CLAIMED = "claimed"
    RECORDING_FETCHED = "recording_fetched"
    ENGINE_CHOSEN = "engine_chosen"
    STAGE = "stage"
    WAITING = "waiting"
    WINDOW_REPEATED = "window_repeated"
    ENGINE_CRASHED = "engine_crashed"
    RETRY_SCHEDULED = "retry_scheduled"
    HANDED_BACK = "handed_back"
    HOST_LOST = "host_lost"
    STARTED_OVER = "started_over"
    TRIED_AT_ONCE = "tried_at_once"
    RETRIED = "retried"
    CANCEL_REQUESTED = "cancel_requested"
    CANCELLED = "cancelled"
    FAILED = "failed"
    COMPLETED = "completed"
    FILES_WRITTEN = "files_written"
    RECORDING_REMOVED = "recording_removed"


class HistoryEntry(TenantMixin, Base):
    """Rows are only ever added, in the transaction of what they tell of, and go with their job.

    `detail` holds no words of a transcript and nothing of the server's own: no host, process or path. `user_id` and
    `api_key_id` say who asked, where somebody did; they are no foreign keys, as in the audit log.
    """

    __tablename__ = "job_history"
    __table_args__ = (sa.Index("ix_job_history_job_created", "job_id", "created_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey("jobs.id", ondelete="CASCADE"))
    kind: Mapped[str]
    attempt: Mapped[int]
    user_id: Mapped[UUID | None]
    api_key_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONType, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
