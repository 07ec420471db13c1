"""/api/workspaces/{id}/api-keys: keys for scripts and SDKs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Response

from app.api.api_router import ApiRouter
from app.api.deps import CurrentPrincipal, SystemRead, SystemWrite
from app.api.idempotency import IdempotentRoute, idempotent
from app.models import User
from app.models.api_keys import ApiKey as ApiKeyRow
from app.schemas.api_keys import ApiKeyCreate, ApiKeyMade, ApiKeys
from app.services.identity import api_keys

router = ApiRouter(
    prefix="/api/workspaces/{workspace_id}/api-keys", tags=["api_keys"], route_class=IdempotentRoute
)


@router.post("", name="create", status_code=201, response_model=ApiKeyMade, dependencies=[idempotent("key")])
async def create(
    workspace_id: UUID,
    body: ApiKeyCreate,
    principal: CurrentPrincipal,
    session: SystemWrite,
    response: Response,
) -> Any:
    """A key for yourself in this workspace. It is shown now and never again."""
    response.headers["Cache-Control"] = "no-store"
    made = await api_keys.create_key(session, principal.user_id, workspace_id, **body.model_dump())
    return _view(made.key, made.user) | {"key": made.secret}


@router.get("", name="list", response_model=ApiKeys)
async def list_keys(workspace_id: UUID, principal: CurrentPrincipal, session: SystemRead) -> Any:
    """Your own, newest first; owners and admins see everybody's."""
    found = await api_keys.list_keys(session, principal.user_id, workspace_id)
    return {"items": [_view(key, user) for key, user in found]}


@router.delete("/{key_id}", name="revoke", status_code=204)
async def revoke(workspace_id: UUID, key_id: UUID, principal: CurrentPrincipal, session: SystemWrite) -> None:
    """Worth nothing from the next request on."""
    await api_keys.revoke_key(session, principal.user_id, workspace_id, key_id)


def _view(key: ApiKeyRow, user: User) -> dict[str, Any]:
    columns = ("id", "name", "prefix", "scopes", "expires_at", "last_used_at", "created_at")
    own = {"id": user.id, "email": user.email, "name": user.name or None}
    return {name: getattr(key, name) for name in columns} | {"user": own}
