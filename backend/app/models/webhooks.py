"""Webhooks: events that wait to be told, who is told, what was sent and how that went."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import new_id, utcnow
from app.db.base import Base, JSONType, TenantMixin


class EventType(StrEnum):
    """What an endpoint can be told. TEST is sent on request only."""

    JOB_COMPLETED = "job.completed"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    TRANSCRIPT_UPDATED = "transcript.updated"
    TEST = "webhook.test"


class DisabledReason(StrEnum):
    """PERSON: switched off by hand; GONE: it answered 410; FAILING: a whole table of retries came to nothing."""

    PERSON = "person"
    GONE = "gone"
    FAILING = "failing"


class DeliveryState(StrEnum):
    """FAILED: given up, or never tried because the endpoint had been switched off for its failures."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class OutboxEvent(TenantMixin, Base):
    """Something happened. Written in the transaction of what happened, gone once its deliveries are written."""

    __tablename__ = "outbox_events"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    type: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONType)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class WebhookEndpoint(TenantMixin, Base):
    """An address of another system. `events` names what it is told, empty: everything.

    Secrets are sealed; the previous one signs as well until `previous_until`, and so does each of `older_secrets`
    (`{secret, until}`, the newest first) until its own end. Nothing is sent before `not_before`, for which a receiver
    has asked. `failing_since` is the first failure after the last success.
    """

    __tablename__ = "webhook_endpoints"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    url: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    events: Mapped[list[Any]] = mapped_column(JSONType, default=list)
    secret: Mapped[str]
    previous_secret: Mapped[str | None]
    previous_until: Mapped[datetime | None]
    older_secrets: Mapped[list[Any]] = mapped_column(JSONType, default=list)
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]
    not_before: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Delivery(TenantMixin, Base):
    """One event for one endpoint: `payload` is sent byte for byte the same each time.

    `attempts` counts all of them, and is what a result is written under; `tries` counts those since it was last queued,
    and finds the pause before the next one.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        sa.UniqueConstraint("endpoint_id", "event_id"),
        sa.Index("ix_webhook_deliveries_queue", "state", "next_attempt_at"),
        sa.Index("ix_webhook_deliveries_log", "endpoint_id", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    endpoint_id: Mapped[UUID] = mapped_column(sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    event_id: Mapped[UUID]
    type: Mapped[str]
    payload: Mapped[str]
    state: Mapped[str] = mapped_column(default=DeliveryState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    delivered_at: Mapped[datetime | None]


class DeliveryAttempt(TenantMixin, Base):
    """One try: what came back, the beginning of it as text, or why nothing did. `duration_ms` until then."""

    __tablename__ = "webhook_attempts"

    delivery_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[int | None]
    error: Mapped[str | None]
    response: Mapped[str] = mapped_column(default="")
    duration_ms: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
