"""/api/admin: what administrators do to the server itself."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from app.api.deps import ContainerDep, CurrentAdmin
from app.schemas.operations import ManagedModel, ManagedModels

router = APIRouter(prefix="/api/admin", tags=["administration"])


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
