"""/api/workspaces: the settings that hold for all jobs of a workspace."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from app.api.deps import ContainerDep, CurrentPrincipal, SystemWrite
from app.schemas.workspaces import WorkspaceSettings, WorkspaceSettingsPatch
from app.services.identity.workspaces import change_workspace, read_workspace

router = APIRouter(prefix="/api/workspaces", tags=["workspaces"])


@router.get("/{workspace_id}/settings", name="settings")
async def read_settings(
    workspace_id: UUID, container: ContainerDep, principal: CurrentPrincipal
) -> WorkspaceSettings:
    """Hints for every recording, and whether providers may hear them."""
    async with container.database.system(read_only=True) as session:
        workspace = await read_workspace(session, principal.user_id, workspace_id)
        return WorkspaceSettings.model_validate(workspace)


@router.patch("/{workspace_id}/settings", name="change_settings")
async def change_settings(
    workspace_id: UUID,
    body: WorkspaceSettingsPatch,
    principal: CurrentPrincipal,
    session: SystemWrite,
) -> WorkspaceSettings:
    """Change what is named; owners and admins may."""
    changes = body.model_dump(exclude_none=True)
    workspace = await change_workspace(session, principal.user_id, workspace_id, **changes)
    return WorkspaceSettings.model_validate(workspace)
