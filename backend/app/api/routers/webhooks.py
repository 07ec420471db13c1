"""/api/webhooks: who is told of events, what was sent, sending it again."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep
from app.api.idempotency import IdempotentRoute, idempotent
from app.api.webhook_deps import WebhookManager, WebhookRead, WebhookWrite
from app.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, Cursor
from app.models.webhooks import Delivery as DeliveryRow
from app.models.webhooks import DeliveryState, WebhookEndpoint
from app.schemas.webhooks import (
    Delivery,
    DeliveryDetail,
    DeliveryPage,
    Recover,
    Recovered,
    Webhook,
    WebhookCreate,
    WebhookMade,
    WebhookPatch,
    Webhooks,
)
from app.services.integrations.deliveries import message_id

router = ApiRouter(prefix="/api/webhooks", tags=["webhooks"], route_class=IdempotentRoute)


@router.post(
    "", name="create", status_code=201, response_model=WebhookMade, dependencies=[idempotent("secret")]
)
async def create(
    body: WebhookCreate,
    container: ContainerDep,
    tenant: WebhookManager,
    session: WebhookWrite,
    response: Response,
) -> Any:
    """Tell an address of events in this workspace. Its secret is shown now and never again."""
    response.headers["Cache-Control"] = "no-store"
    endpoint, secret = await container.webhooks.endpoints.create(
        session, user_id=tenant.user_id, **body.model_dump()
    )
    return _view(endpoint) | {"secret": secret}


@router.get("", name="list", response_model=Webhooks)
async def list_webhooks(container: ContainerDep, session: WebhookRead) -> Any:
    """Those of the workspace, newest first; owners and admins may."""
    return {"items": [_view(endpoint) for endpoint in await container.webhooks.endpoints.list(session)]}


@router.get("/{webhook_id}", name="get", response_model=Webhook)
async def get(webhook_id: UUID, container: ContainerDep, session: WebhookRead) -> Any:
    """One of them."""
    return _view(await container.webhooks.endpoints.get(session, webhook_id))


@router.patch("/{webhook_id}", name="change", response_model=Webhook)
async def change(webhook_id: UUID, body: WebhookPatch, container: ContainerDep, session: WebhookWrite) -> Any:
    """Change what is named: address, events, description, on or off."""
    changes = body.model_dump(exclude_unset=True)
    return _view(await container.webhooks.endpoints.change(session, webhook_id, changes))


@router.delete("/{webhook_id}", name="delete", status_code=204)
async def delete(webhook_id: UUID, container: ContainerDep, session: WebhookWrite) -> None:
    """Nothing more is sent, and its log goes."""
    await container.webhooks.endpoints.delete(session, webhook_id)


@router.post(
    "/{webhook_id}/rotate", name="rotate", response_model=WebhookMade, dependencies=[idempotent("secret")]
)
async def rotate(webhook_id: UUID, container: ContainerDep, session: WebhookWrite, response: Response) -> Any:
    """A new secret, shown now and never again. For a day the one before it signs as well, each of at most five."""
    response.headers["Cache-Control"] = "no-store"
    endpoint, secret = await container.webhooks.endpoints.rotate(session, webhook_id)
    return _view(endpoint) | {"secret": secret}


@router.post(
    "/{webhook_id}/test", name="test", status_code=202, response_model=Delivery, dependencies=[idempotent()]
)
async def test(webhook_id: UUID, container: ContainerDep, session: WebhookWrite) -> Any:
    """Send an event of the type webhook.test; its delivery tells how that went."""
    return _delivery(await container.webhooks.deliveries.test(session, webhook_id))


@router.post(
    "/{webhook_id}/recover",
    name="recover",
    status_code=202,
    response_model=Recovered,
    dependencies=[idempotent()],
)
async def recover(
    webhook_id: UUID, container: ContainerDep, session: WebhookWrite, body: Recover | None = None
) -> Any:
    """Send again everything that was given up; with `since`, what is no older."""
    since = body.since if body is not None else None
    return {"queued": await container.webhooks.deliveries.recover(session, webhook_id, since)}


@router.get("/{webhook_id}/deliveries", name="deliveries", response_model=DeliveryPage)
async def deliveries(
    webhook_id: UUID,
    container: ContainerDep,
    session: WebhookRead,
    state: Annotated[DeliveryState | None, Query(description="Only those.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Any:
    """What was sent, newest first."""
    found, following = await container.webhooks.deliveries.list(
        session, webhook_id, state=state, limit=limit, cursor=Cursor.decode(cursor)
    )
    return {
        "items": [_delivery(one) for one in found],
        "next_cursor": following.encode() if following is not None else None,
    }


@router.get("/{webhook_id}/deliveries/{delivery_id}", name="delivery", response_model=DeliveryDetail)
async def delivery(webhook_id: UUID, delivery_id: UUID, container: ContainerDep, session: WebhookRead) -> Any:
    """One with its body and all its attempts."""
    found, attempts = await container.webhooks.deliveries.get(session, webhook_id, delivery_id)
    columns = ("number", "status", "error", "response", "duration_ms")
    log = [{name: getattr(one, name) for name in columns} | {"at": one.created_at} for one in attempts]
    return _delivery(found) | {"payload": json.loads(found.payload), "log": log}


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay",
    name="replay",
    status_code=202,
    response_model=Delivery,
    dependencies=[idempotent()],
)
async def replay(webhook_id: UUID, delivery_id: UUID, container: ContainerDep, session: WebhookWrite) -> Any:
    """Send it again, under the same id."""
    return _delivery(await container.webhooks.deliveries.replay(session, webhook_id, delivery_id))


def _view(endpoint: WebhookEndpoint) -> dict[str, Any]:
    columns = (
        "id",
        "url",
        "description",
        "events",
        "disabled_at",
        "disabled_reason",
        "failing_since",
        "last_success_at",
        "created_at",
    )
    return {name: getattr(endpoint, name) for name in columns} | {
        "enabled": endpoint.disabled_at is None,
        "previous_secret_until": endpoint.previous_until,
    }


def _delivery(row: DeliveryRow) -> dict[str, Any]:
    columns = ("id", "type", "state", "attempts", "last_status", "last_error", "created_at", "delivered_at")
    pending = row.state == DeliveryState.PENDING
    return {name: getattr(row, name) for name in columns} | {
        "message_id": message_id(row.event_id),
        "next_attempt_at": row.next_attempt_at if pending else None,
    }
