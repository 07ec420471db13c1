"""/api/workspaces: make, rename, leave, delete; settings, usage and the audit log."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.api.api_router import ApiRouter
from app.api.deps import AnyPrincipal, ContainerDep, CurrentPrincipal, SystemRead, SystemWrite, require_key_of
from app.api.idempotency import IdempotentRoute, idempotent
from app.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, Cursor
from app.schemas.workspaces import (
    AuditPage,
    Usage,
    Workspace,
    WorkspaceDelete,
    WorkspaceName,
    Workspaces,
    WorkspaceSettings,
    WorkspaceSettingsPatch,
)
from app.services.identity import audit_pages, members, usage, workspace_settings, workspaces

router = ApiRouter(prefix="/api/workspaces", tags=["workspaces"], route_class=IdempotentRoute)


@router.post("", name="create", status_code=201, response_model=Workspace, dependencies=[idempotent()])
async def create(body: WorkspaceName, principal: CurrentPrincipal, session: SystemWrite) -> Any:
    """Another workspace, of which you are the owner."""
    return await workspaces.create_workspace(session, principal.user_id, body.name)


@router.get("", name="list", response_model=Workspaces)
async def list_all(principal: CurrentPrincipal, session: SystemRead) -> Any:
    """Yours, your own first."""
    return {"items": await workspaces.list_workspaces(session, principal.user_id)}


@router.get("/{workspace_id}", name="get", response_model=Workspace)
async def get(workspace_id: UUID, principal: CurrentPrincipal, session: SystemRead) -> Any:
    """One of yours."""
    return await workspaces.resolve_workspace(session, principal.user_id, str(workspace_id))


@router.patch("/{workspace_id}", name="rename", response_model=Workspace)
async def rename(
    workspace_id: UUID, body: WorkspaceName, principal: CurrentPrincipal, session: SystemWrite
) -> Any:
    """Owners and admins may."""
    return await workspaces.rename_workspace(session, principal.user_id, workspace_id, body.name)


@router.delete("/{workspace_id}", name="delete", status_code=204)
async def delete(
    workspace_id: UUID,
    body: WorkspaceDelete,
    container: ContainerDep,
    principal: CurrentPrincipal,
    session: SystemWrite,
) -> None:
    """For owners: everything in it goes, recordings included. `name` repeats the workspace's name."""
    await workspaces.delete_workspace(session, principal.user_id, workspace_id, body.name)
    session.after_commit(container.removal.wake)


@router.post("/{workspace_id}/leave", name="leave", status_code=204)
async def leave(workspace_id: UUID, principal: CurrentPrincipal, session: SystemWrite) -> None:
    """409 for the last owner, and for your only workspace."""
    await members.leave_workspace(session, principal.user_id, workspace_id)


@router.get("/{workspace_id}/settings", name="settings", response_model=WorkspaceSettings)
async def read_settings(workspace_id: UUID, principal: AnyPrincipal, session: SystemRead) -> Any:
    """What holds for every recording, whether providers may hear them, and how long things are kept."""
    require_key_of(principal, workspace_id)
    return await workspace_settings.read_settings(session, principal.user_id, workspace_id)


@router.patch("/{workspace_id}/settings", name="change_settings", response_model=WorkspaceSettings)
async def change_settings(
    workspace_id: UUID, body: WorkspaceSettingsPatch, principal: CurrentPrincipal, session: SystemWrite
) -> Any:
    """Change what is named; owners and admins may."""
    changes = body.model_dump(exclude_unset=True)
    return await workspace_settings.change_settings(session, principal.user_id, workspace_id, changes)


@router.get("/{workspace_id}/usage", name="usage", response_model=Usage)
async def read_usage(
    workspace_id: UUID,
    principal: AnyPrincipal,
    session: SystemRead,
    month: Annotated[
        str | None, Query(max_length=7, description="As 2026-11; this month by default.")
    ] = None,
) -> Any:
    """Minutes of audio, bytes, jobs and members, beside their limits."""
    require_key_of(principal, workspace_id)
    return await usage.read_usage(session, principal.user_id, workspace_id, month)


@router.get("/{workspace_id}/audit", name="audit", response_model=AuditPage)
async def read_audit(
    workspace_id: UUID,
    principal: CurrentPrincipal,
    session: SystemRead,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Any:
    """Who did what, newest first; owners and admins may."""
    entries, following = await audit_pages.read_audit(
        session, principal.user_id, workspace_id, limit=limit, cursor=Cursor.decode(cursor)
    )
    return {"items": entries, "next_cursor": following.encode() if following else None}
