"""What an attempt comes to: delivered, tried again later, given up, or the end of its endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.db.session import SystemSession
from app.models.users import User
from app.models.webhooks import Delivery, DeliveryAttempt, DeliveryState, DisabledReason, WebhookEndpoint
from app.models.workspaces import Membership, Role, Workspace
from app.services.identity.outbox import enqueue_mail
from app.services.integrations.endpoints import switch_off
from app.services.integrations.schedule import pause_after, read_wish

SHOWN = 1000  # characters of an answer that the log keeps
GONE = 410
# An endpoint is switched off when a delivery was given up and nothing has worked for as long as that takes.
PERSISTENT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of the `attempt`th attempt; `status` is None where there was no answer, and `error` says why."""

    delivery_id: UUID
    attempt: int
    status: int | None
    error: str | None
    retry_after: str | None
    body: bytes
    duration_ms: int

    @property
    def worked(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


async def note_outcome(session: SystemSession, outcome: Outcome, *, now: datetime, page_url: str) -> None:
    """One transaction for attempt, delivery and endpoint.

    The endpoint's row is locked first, always, so that two outcomes of it cannot lock each other. Where another attempt
    has begun meanwhile (a lease that ran out, a replay), this one is only noted.
    """
    endpoint = await _lock_endpoint(session, outcome.delivery_id)
    delivery = await session.get(Delivery, outcome.delivery_id, with_for_update=True)
    if endpoint is None or delivery is None:
        return  # removed meanwhile
    session.add(
        DeliveryAttempt(
            workspace_id=delivery.workspace_id,
            delivery_id=delivery.id,
            number=outcome.attempt,
            status=outcome.status,
            error=outcome.error,
            response=_shown(outcome.body),
            duration_ms=outcome.duration_ms,
            created_at=now,
        )
    )
    if outcome.worked:
        endpoint.failing_since, endpoint.last_success_at = None, now
    else:
        endpoint.failing_since = endpoint.failing_since or now
    if delivery.attempts != outcome.attempt:
        return
    delivery.last_status, delivery.last_error = outcome.status, outcome.error or _refusal(outcome)
    if outcome.worked:
        delivery.state, delivery.delivered_at = DeliveryState.DELIVERED, now
    elif outcome.status == GONE:
        delivery.state = DeliveryState.FAILED
        await _end(session, endpoint, DisabledReason.GONE, page_url)
    else:
        await _later(session, endpoint, delivery, outcome, now, page_url)


async def _later(
    session: SystemSession,
    endpoint: WebhookEndpoint,
    delivery: Delivery,
    outcome: Outcome,
    now: datetime,
    page_url: str,
) -> None:
    wish = read_wish(outcome.retry_after, now)
    if wish:
        endpoint.not_before = now + wish  # everything for it waits, not this one alone
    pause = pause_after(delivery.tries, wish)
    if delivery.state != DeliveryState.PENDING:
        return  # switched off meanwhile
    if pause is not None:
        delivery.next_attempt_at = now + pause
        return
    delivery.state = DeliveryState.FAILED
    if endpoint.failing_since is not None and now - endpoint.failing_since >= PERSISTENT:
        await _end(session, endpoint, DisabledReason.FAILING, page_url)


async def _lock_endpoint(session: SystemSession, delivery_id: UUID) -> WebhookEndpoint | None:
    rows = await session.execute(
        sa.select(WebhookEndpoint)
        .where(
            WebhookEndpoint.id
            == sa.select(Delivery.endpoint_id).where(Delivery.id == delivery_id).scalar_subquery()
        )
        .with_for_update()
    )
    return rows.scalar_one_or_none()


async def _end(
    session: SystemSession, endpoint: WebhookEndpoint, reason: DisabledReason, page_url: str
) -> None:
    """Switched off, noted in the audit log, and its workspace's owners are told."""
    if endpoint.disabled_at is not None:
        return
    await session.flush()
    await switch_off(session, endpoint, reason)
    why = {
        DisabledReason.GONE: "It answered 410 Gone, which asks for no more deliveries.",
        DisabledReason.FAILING: "It has not accepted a delivery for days, however often that was tried.",
    }[reason]
    workspace = await session.get_one(Workspace, endpoint.workspace_id)
    owners = await session.scalars(
        sa.select(User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == endpoint.workspace_id, Membership.role == Role.OWNER)
    )
    for address in owners:
        enqueue_mail(
            session,
            to=address,
            subject=f"A webhook of {workspace.name} was switched off",
            body=f"{why}\n\nWhat it has missed is kept for a while. Switch it on again, and send it what it missed, "
            f"here:\n\n{page_url}/settings/webhooks/{endpoint.id}\n",
        )


def _refusal(outcome: Outcome) -> str | None:
    if outcome.worked:
        return None
    if outcome.status is not None and 300 <= outcome.status < 400:
        return "redirects are not followed"
    return f"answered {outcome.status}"


def _shown(body: bytes) -> str:
    """The beginning as plain text, whatever was sent."""
    text = body[: SHOWN * 4].decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)[:SHOWN]
