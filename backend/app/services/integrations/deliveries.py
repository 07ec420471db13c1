"""The log of deliveries, and sending again what is in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import new_id, to_json_time, utcnow
from app.core.errors import InvalidStateError, NotFoundError
from app.core.pagination import Cursor
from app.db.session import Database, TenantSession
from app.models.webhooks import Delivery, DeliveryAttempt, DeliveryState, EventType, WebhookEndpoint
from app.services.integrations.endpoints import get_endpoint

RECOVERED_AT_ONCE = 10_000
_BATCH = 500


def payload_of(event: str, moment: datetime, data: dict[str, Any]) -> str:
    """The body as the specification has it; the bytes that are signed and sent."""
    return json.dumps({"type": event, "timestamp": to_json_time(moment), "data": data}, separators=(",", ":"))


def message_id(event_id: UUID) -> str:
    """The same for every try of an event, so that receivers can tell a repeated one."""
    return f"msg_{event_id.hex}"


class Deliveries:
    """`wake` tells the sender that there is something to do."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    async def list(
        self,
        session: TenantSession,
        endpoint_id: UUID,
        *,
        state: DeliveryState | None,
        limit: int,
        cursor: Cursor | None,
    ) -> tuple[list[Delivery], Cursor | None]:
        """A page of an endpoint's, newest first, and where the next one begins. Raises `NotFoundError`."""
        await get_endpoint(session, endpoint_id)
        query = sa.select(Delivery).where(Delivery.endpoint_id == endpoint_id)
        if state is not None:
            query = query.where(Delivery.state == state)
        if cursor is not None:
            place = sa.tuple_(Delivery.created_at, Delivery.id)
            query = query.where(
                place < sa.tuple_(sa.literal(cursor.created_at, Delivery.created_at.type), cursor.id)
            )
        rows = await session.execute(
            query.order_by(Delivery.created_at.desc(), Delivery.id.desc()).limit(limit + 1)
        )
        found = list(rows.scalars())
        if len(found) <= limit:
            return found, None
        last = found[limit - 1]
        return found[:limit], Cursor(last.created_at, last.id)

    async def get(
        self, session: TenantSession, endpoint_id: UUID, delivery_id: UUID
    ) -> tuple[Delivery, Sequence[DeliveryAttempt]]:
        """One with all its attempts, newest first. Raises `NotFoundError`."""
        delivery = await _get(session, endpoint_id, delivery_id)
        attempts = await session.execute(
            sa.select(DeliveryAttempt)
            .where(DeliveryAttempt.delivery_id == delivery_id)
            .order_by(DeliveryAttempt.number.desc())
        )
        return delivery, attempts.scalars().all()

    async def replay(self, session: TenantSession, endpoint_id: UUID, delivery_id: UUID) -> Delivery:
        """Sends it again at once, delivered or not, under the same id, with a new table of retries.

        Raises `NotFoundError`, `InvalidStateError` while the endpoint is off.
        """
        _require_on(await get_endpoint(session, endpoint_id))
        delivery = await _get(session, endpoint_id, delivery_id, lock=True)
        delivery.state, delivery.tries, delivery.next_attempt_at = DeliveryState.PENDING, 0, utcnow()
        session.after_commit(self._wake)
        return delivery

    async def recover(self, session: TenantSession, endpoint_id: UUID, since: datetime | None = None) -> int:
        """Sends again everything that was given up, or what of it is no older than `since`. Answers how many, at most
        `RECOVERED_AT_ONCE`, oldest first.

        Raises `NotFoundError`, `InvalidStateError` while the endpoint is off.
        """
        _require_on(await get_endpoint(session, endpoint_id, lock=True))
        which = [Delivery.endpoint_id == endpoint_id, Delivery.state == DeliveryState.FAILED]
        if since is not None:
            which.append(Delivery.created_at >= sa.literal(since, Delivery.created_at.type))
        some = sa.select(Delivery.id).where(*which).order_by(Delivery.created_at).limit(RECOVERED_AT_ONCE)
        queued = await session.execute(
            sa.update(Delivery)
            .where(Delivery.id.in_(some))
            .values(state=DeliveryState.PENDING, tries=0, next_attempt_at=utcnow())
            .returning(Delivery.id)
            .execution_options(synchronize_session=False)
        )
        session.after_commit(self._wake)
        return len(queued.all())

    async def test(self, session: TenantSession, endpoint_id: UUID) -> Delivery:
        """An event that means nothing. Raises `NotFoundError`, `InvalidStateError` while the endpoint is off."""
        endpoint = await get_endpoint(session, endpoint_id)
        _require_on(endpoint)
        now = utcnow()
        data = {"workspace_id": str(session.workspace_id), "webhook_id": str(endpoint.id)}
        delivery = Delivery(
            workspace_id=session.workspace_id,
            endpoint_id=endpoint.id,
            event_id=new_id(),
            type=EventType.TEST,
            payload=payload_of(EventType.TEST, now, data),
            state=DeliveryState.PENDING,
            attempts=0,
            tries=0,
            next_attempt_at=now,
            created_at=now,
        )
        session.add(delivery)
        await session.flush()
        session.after_commit(self._wake)
        return delivery


def _require_on(endpoint: WebhookEndpoint) -> None:
    if endpoint.disabled_at is not None:
        raise InvalidStateError("This webhook is switched off. Switch it on first.")


async def _get(
    session: TenantSession, endpoint_id: UUID, delivery_id: UUID, *, lock: bool = False
) -> Delivery:
    statement = sa.select(Delivery).where(Delivery.id == delivery_id, Delivery.endpoint_id == endpoint_id)
    found = await session.execute(statement.with_for_update() if lock else statement)
    delivery = found.scalar_one_or_none()
    if delivery is None:
        raise NotFoundError
    return delivery


async def purge_log(database: Database, keep: timedelta) -> int:
    """For periodic work: what was delivered or given up, and is older. Answers how many."""
    gone = 0
    while True:
        async with database.system() as session:
            old = sa.literal(utcnow() - keep, Delivery.created_at.type)
            some = (
                sa.select(Delivery.id)
                .where(Delivery.created_at < old, Delivery.state != DeliveryState.PENDING)
                .limit(_BATCH)
            )
            rows = await session.execute(
                sa.delete(Delivery)
                .where(Delivery.id.in_(some))
                .returning(Delivery.id)
                .execution_options(synchronize_session=False)
            )
            count = len(rows.all())
        gone += count
        if count < _BATCH:
            return gone
