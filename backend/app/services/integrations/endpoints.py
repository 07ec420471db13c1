"""Endpoints of a workspace: made, changed, rotated, switched off and removed by its owners and admins."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from app.core.clock import to_json_time, utcnow
from app.core.errors import ConflictError, NotFoundError, RateLimitedError
from app.core.security import Sealer
from app.db.session import SystemSession, TenantSession
from app.models.webhooks import Delivery, DeliveryState, DisabledReason, WebhookEndpoint
from app.models.workspaces import Workspace
from app.services import audit
from app.services.integrations.signing import new_secret

MAX_ENDPOINTS = 20
OVERLAP = timedelta(hours=24)  # a secret that was rotated away signs for so long beside the new one
MAX_EARLIER = 5  # secrets that still sign beside the newest one: each adds a signature to every delivery


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keeps the secrets of endpoints sealed; who can read the database cannot sign."""

    sealer: Sealer

    def make(self) -> tuple[str, str]:
        """A new one, and as it is kept."""
        secret = new_secret()
        return secret, self.sealer.seal(secret)

    def that_sign(self, endpoint: WebhookEndpoint, moment: datetime) -> list[str]:
        """The newest first; for a while after each rotation the one before it as well.

        Raises `InvalidTag` where the newest cannot be read; of those before it such ones are left out.
        """
        keys = [self.sealer.unseal(endpoint.secret)]
        for sealed, _ in _earlier(endpoint, moment):
            with contextlib.suppress(InvalidTag):  # from before the server's own secret was changed
                keys.append(self.sealer.unseal(sealed))
        return keys


class WebhookEndpoints:
    """`check_url` refuses addresses that this server does not go to."""

    def __init__(self, secrets: Secrets, check_url: Callable[[str], str]) -> None:
        self._secrets = secrets
        self._check_url = check_url

    async def create(
        self, session: TenantSession, *, user_id: UUID, url: str, events: Sequence[str], description: str
    ) -> tuple[WebhookEndpoint, str]:
        """The endpoint and its secret, which is shown now and never again.

        Raises `UrlNotAllowedError`, `ConflictError` where there are too many.
        """
        url = self._check_url(url)
        # two at once are counted; a key share, so that rows that name the workspace are still written
        await session.get_one(Workspace, session.workspace_id, with_for_update={"key_share": True})
        count = await session.scalar(sa.select(sa.func.count()).select_from(WebhookEndpoint))
        if int(count or 0) >= MAX_ENDPOINTS:
            raise ConflictError(f"A workspace has at most {MAX_ENDPOINTS} webhooks. Remove one first.")
        secret, sealed = self._secrets.make()
        endpoint = WebhookEndpoint(
            workspace_id=session.workspace_id,
            created_by=user_id,
            url=url,
            description=description,
            events=sorted(set(events)),
            secret=sealed,
        )
        session.add(endpoint)
        await session.flush()
        _note(session, "created", endpoint, events=endpoint.events)
        return endpoint, secret

    async def list(self, session: TenantSession) -> list[WebhookEndpoint]:
        """Newest first."""
        rows = await session.execute(
            sa.select(WebhookEndpoint).order_by(WebhookEndpoint.created_at.desc(), WebhookEndpoint.id.desc())
        )
        return list(rows.scalars())

    async def get(self, session: TenantSession, endpoint_id: UUID) -> WebhookEndpoint:
        """Raises `NotFoundError`."""
        return await get_endpoint(session, endpoint_id)

    async def change(
        self, session: TenantSession, endpoint_id: UUID, changes: dict[str, Any]
    ) -> WebhookEndpoint:
        """Raises `NotFoundError`, `UrlNotAllowedError`. Switched on again it starts without a past."""
        endpoint = await get_endpoint(session, endpoint_id, lock=True)
        if "url" in changes:
            endpoint.url = self._check_url(changes["url"])
        if "events" in changes:
            endpoint.events = sorted(set(changes["events"]))
        if "description" in changes:
            endpoint.description = changes["description"]
        enabled = changes.get("enabled")
        if enabled is True:
            endpoint.disabled_at = endpoint.disabled_reason = None
            endpoint.failing_since = endpoint.not_before = None
        elif enabled is False and endpoint.disabled_at is None:
            await switch_off(session, endpoint, DisabledReason.PERSON)
        _note(session, "changed", endpoint, fields=sorted(changes))
        return endpoint

    async def rotate(self, session: TenantSession, endpoint_id: UUID) -> tuple[WebhookEndpoint, str]:
        """A new secret. The one before it signs as well for another day, however often that is done meanwhile.

        Raises `NotFoundError`, `RateLimitedError` where as many sign as may.
        """
        endpoint = await get_endpoint(session, endpoint_id, lock=True)
        now = utcnow()
        earlier = _earlier(endpoint, now)
        if len(earlier) >= MAX_EARLIER:
            raise RateLimitedError(
                f"The last {MAX_EARLIER} secrets of this webhook still sign beside the newest one, each for a day "
                "after it was replaced. Wait until the oldest ends, or make a new webhook.",
                retry_after=max(1, math.ceil((min(until for _, until in earlier) - now).total_seconds())),
            )
        endpoint.older_secrets = [
            {"secret": sealed, "until": to_json_time(until)} for sealed, until in earlier
        ]
        endpoint.previous_secret, endpoint.previous_until = endpoint.secret, now + OVERLAP
        secret, endpoint.secret = self._secrets.make()
        _note(session, "secret_rotated", endpoint)
        return endpoint, secret

    async def delete(self, session: TenantSession, endpoint_id: UUID) -> None:
        """With its log. What is on its way at this moment may still arrive. Raises `NotFoundError`."""
        endpoint = await get_endpoint(session, endpoint_id, lock=True)
        _note(session, "deleted", endpoint)
        await session.delete(endpoint)


def _earlier(endpoint: WebhookEndpoint, moment: datetime) -> list[tuple[str, datetime]]:
    """The secrets before the newest one that sign at that moment, sealed, and until when; the newest first."""
    kept = [(one["secret"], datetime.fromisoformat(one["until"])) for one in endpoint.older_secrets]
    if endpoint.previous_secret and endpoint.previous_until:
        kept.insert(0, (endpoint.previous_secret, endpoint.previous_until))
    return [(sealed, until) for sealed, until in kept if until > moment]


async def get_endpoint(session: TenantSession, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    """Raises `NotFoundError`, for another tenant's too."""
    statement = sa.select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)
    found = await session.execute(statement.with_for_update() if lock else statement)
    endpoint = found.scalar_one_or_none()
    if endpoint is None:
        raise NotFoundError
    return endpoint


async def switch_off(
    session: TenantSession | SystemSession, endpoint: WebhookEndpoint, reason: DisabledReason
) -> None:
    """The caller holds the endpoint's row. What waits for it is given up, and can be sent again by a person."""
    endpoint.disabled_at, endpoint.disabled_reason = utcnow(), reason
    await session.execute(
        sa.update(Delivery)
        .where(
            Delivery.workspace_id == endpoint.workspace_id,
            Delivery.endpoint_id == endpoint.id,
            Delivery.state == DeliveryState.PENDING,
        )
        .values(state=DeliveryState.FAILED)
        .execution_options(synchronize_session="fetch")
    )
    _note(session, "disabled", endpoint, reason=reason)


def _note(
    session: TenantSession | SystemSession, what: str, endpoint: WebhookEndpoint, **detail: Any
) -> None:
    """The host alone: addresses of receivers may hold secrets of theirs."""
    audit.record(
        session,
        f"webhook.{what}",
        workspace_id=endpoint.workspace_id,
        target=("webhook", endpoint.id),
        host=urlsplit(endpoint.url).hostname,
        **detail,
    )
