"""From the outbox to deliveries: one for each endpoint that wants to be told."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

import sqlalchemy as sa

from app.db.session import Database, SystemSession
from app.models.webhooks import Delivery, DeliveryState, DisabledReason, OutboxEvent, WebhookEndpoint
from app.services.integrations.deliveries import payload_of

BATCH = 100
WAS_OFF = {
    DisabledReason.GONE: "the webhook was switched off: its receiver had answered 410 Gone",
    DisabledReason.FAILING: "the webhook was switched off after its failures",
}


async def spread(database: Database) -> int:
    """Works through the outbox and answers how many events were in it. Safe in every process at once: an event is
    deleted in the transaction that writes its deliveries, and whoever comes second passes it over."""
    total = 0
    while await _is_anything_there(database):
        async with database.system() as session:
            count = await _spread_some(session)
        total += count
        if count < BATCH:  # another process has the rest
            break
    return total


async def _is_anything_there(database: Database) -> bool:
    async with database.system(read_only=True) as session:
        return (await session.execute(sa.select(OutboxEvent.id).limit(1))).first() is not None


async def _spread_some(session: SystemSession) -> int:
    rows = await session.execute(
        sa.select(OutboxEvent).order_by(OutboxEvent.id).limit(BATCH).with_for_update(skip_locked=True)
    )
    events = rows.scalars().all()
    endpoints = await _endpoints(session, {event.workspace_id for event in events})
    for event in events:
        for endpoint in endpoints[event.workspace_id]:
            if _wants(endpoint, event):
                session.add(_delivery(event, endpoint))
        await session.delete(event)
    return len(events)


async def _endpoints(
    session: SystemSession, workspaces: set[UUID]
) -> defaultdict[UUID, list[WebhookEndpoint]]:
    """Those that are on, and those that failed: what they miss is kept for when they are back."""
    found: defaultdict[UUID, list[WebhookEndpoint]] = defaultdict(list)
    rows = await session.execute(
        sa.select(WebhookEndpoint)
        .where(
            WebhookEndpoint.workspace_id.in_(workspaces),
            sa.or_(
                WebhookEndpoint.disabled_at.is_(None),
                WebhookEndpoint.disabled_reason != DisabledReason.PERSON,
            ),
        )
        .with_for_update(read=True)  # nobody switches one off, or removes it, meanwhile
    )
    for endpoint in rows.scalars():
        found[endpoint.workspace_id].append(endpoint)
    return found


def _wants(endpoint: WebhookEndpoint, event: OutboxEvent) -> bool:
    return endpoint.created_at <= event.created_at and (not endpoint.events or event.type in endpoint.events)


def _delivery(event: OutboxEvent, endpoint: WebhookEndpoint) -> Delivery:
    on = endpoint.disabled_at is None
    return Delivery(
        workspace_id=event.workspace_id,
        endpoint_id=endpoint.id,
        event_id=event.id,
        type=event.type,
        payload=payload_of(event.type, event.created_at, event.data),
        state=DeliveryState.PENDING if on else DeliveryState.FAILED,
        last_error=None
        if on
        else WAS_OFF[DisabledReason(endpoint.disabled_reason or DisabledReason.FAILING)],
        created_at=event.created_at,
        next_attempt_at=event.created_at,
    )
