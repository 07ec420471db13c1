"""/api/jobs/{id}/shares and /grants: who else may see a transcript, by link or by account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Response

from app.api.api_router import ApiRouter
from app.api.base_url import BaseUrl
from app.api.deps import ContainerDep
from app.api.idempotency import IdempotentRoute, idempotent
from app.api.share_deps import Sharer, ShareRead, ShareWrite
from app.models.shares import ShareLink as LinkRow
from app.schemas.shares import (
    Grant,
    GrantPut,
    Grants,
    ShareCreate,
    ShareLink,
    ShareLinkMade,
    ShareLinks,
    SharePatch,
)

router = ApiRouter(prefix="/api/jobs/{job_id}", tags=["shares"], route_class=IdempotentRoute)


@router.post(
    "/shares",
    name="create",
    status_code=201,
    response_model=ShareLinkMade,
    dependencies=[idempotent("token", "url")],
)
async def create(
    job_id: UUID,
    body: ShareCreate,
    container: ContainerDep,
    tenant: Sharer,
    session: ShareWrite,
    base_url: BaseUrl,
    response: Response,
) -> Any:
    """A link for whoever has it. Its token is shown now and never again."""
    response.headers["Cache-Control"] = "no-store"
    link, token = await container.share_links.create(
        session, job_id, user_id=tenant.user_id, **body.model_dump()
    )
    await container.shared.prepare(session, job_id)
    return _view(link) | {"token": token, "url": f"{base_url}/s/{token}"}


@router.get("/shares", name="list", response_model=ShareLinks)
async def list_links(job_id: UUID, container: ContainerDep, session: ShareRead) -> Any:
    """The links of this transcript that were not revoked, newest first."""
    return {"items": [_view(link) for link in await container.share_links.list(session, job_id)]}


@router.patch("/shares/{share_id}", name="change", response_model=ShareLink)
async def change(
    job_id: UUID, share_id: UUID, body: SharePatch, container: ContainerDep, session: ShareWrite
) -> Any:
    """Change the password, the end or the download switch. A new password locks everybody out again."""
    changes = body.model_dump(exclude_unset=True)
    return _view(await container.share_links.change(session, job_id, share_id, changes))


@router.delete("/shares/{share_id}", name="revoke", status_code=204)
async def revoke(job_id: UUID, share_id: UUID, container: ContainerDep, session: ShareWrite) -> None:
    """Worth nothing from now on; open streams end within seconds."""
    await container.share_links.revoke(session, job_id, share_id)


@router.put("/grants", name="grant", response_model=Grant)
async def grant(
    job_id: UUID, body: GrantPut, container: ContainerDep, tenant: Sharer, session: ShareWrite
) -> Any:
    """Share with one account, to view or to edit, or change what was given to it."""
    given = await container.job_grants.put(
        session, job_id, email=body.email, permission=body.permission, by=tenant.user_id
    )
    await container.shared.prepare(session, job_id)
    return given


@router.get("/grants", name="list_grants", response_model=Grants)
async def list_grants(job_id: UUID, container: ContainerDep, session: ShareRead) -> Any:
    """The accounts with which this transcript is shared, newest first."""
    return {"items": await container.job_grants.list_of(session, job_id)}


@router.delete("/grants/{user_id}", name="revoke_grant", status_code=204)
async def revoke_grant(job_id: UUID, user_id: UUID, container: ContainerDep, session: ShareWrite) -> None:
    """Share with this account no more; open streams end within seconds."""
    await container.job_grants.revoke(session, job_id, user_id)


def _view(link: LinkRow) -> dict[str, Any]:
    columns = ("id", "job_id", "allow_download", "expires_at", "created_at", "last_used_at", "created_by")
    return {name: getattr(link, name) for name in columns} | {"has_password": link.password_hash is not None}
