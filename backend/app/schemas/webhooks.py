"""Webhooks on the wire (docs/api.md, Webhooks)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.models.webhooks import DeliveryState, DisabledReason
from app.schemas.common import KeptText, Line


class WebhookEvent(StrEnum):
    """What an endpoint can ask for."""

    JOB_COMPLETED = "job.completed"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    TRANSCRIPT_UPDATED = "transcript.updated"


_Url = Annotated[KeptText, Field(min_length=1, max_length=2048, description="https://... of the receiver.")]
_Events = Annotated[
    list[WebhookEvent],
    Field(max_length=20, description="What it is told. Empty: everything, also what comes later."),
]
_Description = Annotated[Line, Field(max_length=200)]


class WebhookCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: _Url
    events: _Events = []
    description: _Description = ""


class WebhookPatch(BaseModel):
    """Only what is named changes."""

    model_config = ConfigDict(extra="forbid")

    url: _Url = ""
    events: _Events = []
    description: _Description = ""
    enabled: bool = True


class Webhook(BaseModel):
    """`failing_since` is the first failure after the last success; `previous_secret_until` when the newest
    secret only signs."""

    id: UUID
    url: str
    description: str
    events: list[WebhookEvent]
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    last_success_at: datetime | None
    previous_secret_until: datetime | None
    created_at: datetime


class WebhookMade(Webhook):
    secret: str | None = Field(
        description="Signs what is sent. Shown now and never again: null in an answer that is replayed."
    )


class Webhooks(BaseModel):
    items: list[Webhook]
    next_cursor: str | None = None


class Delivery(BaseModel):
    """`message_id` is what the receiver sees as webhook-id. `next_attempt_at` is null unless it is pending."""

    id: UUID
    message_id: str
    type: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None


class DeliveryAttempt(BaseModel):
    """`status` is null where there was no answer, and `error` says why; `response` is the beginning of the answer."""

    number: int
    at: datetime
    status: int | None
    error: str | None
    response: str
    duration_ms: int


class DeliveryDetail(Delivery):
    payload: dict[str, Any]
    log: list[DeliveryAttempt] = Field(description="The attempts, newest first.")


class DeliveryPage(BaseModel):
    items: list[Delivery]
    next_cursor: str | None


class Recover(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = None


class Recovered(BaseModel):
    queued: int
