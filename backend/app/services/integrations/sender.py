"""Sends what is due: each delivery by exactly one process, any number of deliveries at a time, no receiver twice over.

A delivery is taken by one compare-and-set that moves `next_attempt_at` behind a lease and raises `attempts`. A process
that dies on the way leaves it to whoever comes after the lease, so a receiver may get it twice: under the same id.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from app.core.ending import end
from app.core.failpoints import reached
from app.core.logging import get_logger
from app.db.session import Database, SystemSession
from app.fetch.outgoing import Answer, OutgoingDoor, UnreachableError
from app.models.webhooks import Delivery, DeliveryState, WebhookEndpoint
from app.services.integrations.deliveries import message_id
from app.services.integrations.endpoints import Secrets
from app.services.integrations.outcome import Outcome, note_outcome
from app.services.integrations.signing import signed_headers
from app.services.integrations.spreading import spread

log = get_logger(__name__)

EVERY_SECONDS = 2.0
LEASE = timedelta(seconds=90)  # longer than the longest answer that is waited for
PARALLEL = 8
TO_ONE_ENDPOINT = 2
UNREADABLE = "the secret of this webhook cannot be read since the server's was changed: rotate it"

Now = Callable[[SystemSession], Awaitable[datetime]]


async def database_time(session: SystemSession) -> datetime:
    return await session.database_now()


@dataclass(frozen=True, slots=True)
class _Taken:
    """A delivery whose attempt is ours, and where it goes."""

    delivery: Delivery
    endpoint: WebhookEndpoint
    moment: datetime


class WebhookSender:
    """`now` is the clock of the queue and of signatures. `page_url` stands in mails."""

    def __init__(
        self,
        database: Database,
        door: OutgoingDoor,
        secrets: Secrets,
        *,
        page_url: str = "",
        version: str = "",
        now: Now = database_time,
        wake_mail: Callable[[], None] = lambda: None,
    ) -> None:
        self._database, self._door, self._secrets, self._now = database, door, secrets, now
        self._page_url, self._wake_mail = page_url, wake_mail
        self._agent = f"Transcribe/{version or '0'} (webhooks)"

    async def run_once(self) -> int:
        """Until nothing is due any more. Answers how many attempts were made."""
        running: dict[asyncio.Task[None], UUID] = {}
        made = 0
        try:
            while True:
                await spread(self._database)
                while len(running) < PARALLEL:
                    taken = await self._take(Counter(running.values()))
                    if taken is None:
                        break
                    running[asyncio.create_task(self._send(taken))] = taken.endpoint.id
                    made += 1
                if not running:
                    return made
                # New events come in meanwhile: a slow receiver holds up nobody else's.
                done, _ = await asyncio.wait(
                    running, timeout=EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    del running[task]
                    if (error := task.exception()) is not None:  # its lease runs out, and it is tried again
                        log.warning("webhook_attempt_broke", error=repr(error)[:200])
        finally:
            await end(*running)

    async def _take(self, busy: Counter[UUID]) -> _Taken | None:
        full = [endpoint for endpoint, count in busy.items() if count >= TO_ONE_ENDPOINT]
        async with self._database.system(read_only=True) as session:  # a look costs nobody the writer's place
            now = await self._now(session)
            if (await session.execute(_due(now, full))).first() is None:
                return None
        async with self._database.system() as session:
            now = await self._now(session)
            candidate = _due(now, full).with_for_update(skip_locked=True, of=Delivery)
            taken = await session.execute(
                sa.update(Delivery)
                .where(Delivery.id == candidate.scalar_subquery(), Delivery.state == DeliveryState.PENDING)
                .values(next_attempt_at=now + LEASE, attempts=Delivery.attempts + 1, tries=Delivery.tries + 1)
                .returning(Delivery)
                .execution_options(synchronize_session=False, populate_existing=True)
            )
            delivery = taken.scalar_one_or_none()
            if delivery is None:
                return None
            return _Taken(delivery, await session.get_one(WebhookEndpoint, delivery.endpoint_id), now)

    async def _send(self, taken: _Taken) -> None:
        delivery, began = taken.delivery, time.monotonic()
        body = delivery.payload.encode()
        answer: Answer | None = None
        error: str | None = None
        try:
            reached("outbox.before")
            answer = await self._door.post(taken.endpoint.url, self._headers(taken, body), body)
            reached("outbox.after")
        except UnreachableError as failure:
            error = str(failure)
        except InvalidTag:
            error = UNREADABLE
        outcome = Outcome(
            delivery_id=delivery.id,
            attempt=delivery.attempts,
            status=answer.status if answer else None,
            error=error,
            retry_after=answer.retry_after if answer else None,
            body=answer.body if answer else b"",
            duration_ms=round((time.monotonic() - began) * 1000),
        )
        async with self._database.system() as session:
            await note_outcome(session, outcome, now=await self._now(session), page_url=self._page_url)
            session.after_commit(self._wake_mail)
        log.info(
            "webhook_attempt",
            delivery_id=str(delivery.id),
            attempt=outcome.attempt,
            status=outcome.status,
            error=error,
        )

    def _headers(self, taken: _Taken, body: bytes) -> list[tuple[str, str]]:
        keys = self._secrets.that_sign(taken.endpoint, taken.moment)
        return [
            ("Content-Type", "application/json"),
            ("User-Agent", self._agent),
            ("Accept", "*/*"),
            *signed_headers(message_id(taken.delivery.event_id), taken.moment, body, keys),
        ]


def _due(now: datetime, full: list[UUID]) -> sa.Select[UUID]:
    moment = sa.literal(now, Delivery.next_attempt_at.type)
    return (
        sa.select(Delivery.id)
        .join(WebhookEndpoint, WebhookEndpoint.id == Delivery.endpoint_id)
        .where(
            Delivery.state == DeliveryState.PENDING,
            Delivery.next_attempt_at <= moment,
            WebhookEndpoint.disabled_at.is_(None),
            sa.or_(WebhookEndpoint.not_before.is_(None), WebhookEndpoint.not_before <= moment),
            WebhookEndpoint.id.not_in(full),
        )
        .order_by(Delivery.next_attempt_at, Delivery.id)
        .limit(1)
    )
