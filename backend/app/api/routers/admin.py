"""/api/admin: what administrators do to the server itself."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep, CurrentAdmin, SystemRead, SystemWrite
from app.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, Cursor
from app.schemas.common import KeptText
from app.schemas.operations import ManagedModel, ManagedModels, Status
from app.schemas.workspaces import ManagedWorkspace, ManagedWorkspaces, QuotasPatch
from app.services.admin.status import read_status
from app.services.identity import usage

router = ApiRouter(prefix="/api/admin", tags=["administration"])


@router.get("/status", name="status", response_model=Status)
async def status(container: ContainerDep, _admin: CurrentAdmin) -> Any:
    """Versions and parts of this server."""
    return await read_status(container.settings)


@router.get("/models", name="models", response_model=ManagedModels)
async def list_models(container: ContainerDep, _admin: CurrentAdmin) -> Any:
    """Every model that this server knows, whether it is here, and what works with it."""
    return await container.shelf.list()


@router.post("/models/{name}/download", name="download_model", status_code=202, response_model=ManagedModel)
async def download_model(name: str, container: ContainerDep, _admin: CurrentAdmin) -> Any:
    """Begin a download; `received_bytes` of the list tells how far it is. Repeated while it runs: the same."""
    return await container.shelf.download(name)


@router.post("/models/{name}/verify", name="verify_model", response_model=ManagedModel)
async def verify_model(name: str, container: ContainerDep, _admin: CurrentAdmin) -> Any:
    """Compare the file's SHA-256 with the published one again; a file that differs becomes `invalid`."""
    return await container.shelf.verify(name)


@router.delete("/models/{name}", name="remove_model", status_code=204)
async def remove_model(name: str, container: ContainerDep, _admin: CurrentAdmin) -> None:
    """Remove the file, or call its download off. 409 while a job or an engine process has it."""
    await container.shelf.remove(name)


@router.get("/workspaces", name="workspaces", response_model=ManagedWorkspaces)
async def list_workspaces(
    _admin: CurrentAdmin,
    session: SystemRead,
    q: Annotated[KeptText | None, Query(max_length=200, description="Part of a name.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Any:
    """Every workspace of this server with what it uses and its limits: figures, never words."""
    found, following = await usage.list_all_workspaces(
        session, q=q, limit=limit, cursor=Cursor.decode(cursor)
    )
    return {"items": found, "next_cursor": following.encode() if following else None}


@router.patch("/workspaces/{workspace_id}/quotas", name="set_quotas", response_model=ManagedWorkspace)
async def set_quotas(
    workspace_id: UUID, body: QuotasPatch, _admin: CurrentAdmin, session: SystemWrite
) -> Any:
    """Limits for a workspace; null takes one away. What is used already stays."""
    return await usage.set_quotas(session, workspace_id, body.model_dump(exclude_unset=True))
