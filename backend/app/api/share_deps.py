"""What the routers of shared things ask for: who may share, and the capability of whoever reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import Cookie, Depends, Request

from app.api.deps import ContainerDep, CurrentPrincipal, CurrentTenant, Tenant
from app.api.write_session import note_write_session
from app.core.errors import AppError, ForbiddenError
from app.db.session import TenantSession
from app.factory import Container
from app.services.identity.doorkeeper import GuestPass
from app.services.identity.roles import WRITERS
from app.services.identity.sessions import Principal
from app.services.transcripts.share_grant import LinkSource, ShareGrant

SHARE_COOKIE = "transcribe_share"
ShareCookie = Annotated[str | None, Cookie(alias=SHARE_COOKIE)]


async def _sharer(tenant: CurrentTenant) -> Tenant:
    """Raises `ForbiddenError` for keys and viewers, in words that fit a look at the list as well."""
    if tenant.principal.key is not None:
        raise ForbiddenError("API keys can neither share transcripts nor see with whom. Sign in to do that.")
    if tenant.role not in WRITERS:
        raise ForbiddenError("Viewers of a workspace can neither share transcripts nor see with whom.")
    return tenant


# A person who may change the workspace's transcriptions, and so decide who else sees them. Keys do not.
Sharer = Annotated[Tenant, Depends(_sharer)]


async def _share_write(
    request: Request, container: ContainerDep, tenant: Sharer
) -> AsyncIterator[TenantSession]:
    async with container.database.tenant(tenant.workspace_id) as session:
        note_write_session(request, session)
        yield session


ShareWrite = Annotated[TenantSession, Depends(_share_write, scope="function")]


async def _share_read(container: ContainerDep, tenant: Sharer) -> AsyncIterator[TenantSession]:
    async with container.database.tenant(tenant.workspace_id, read_only=True) as session:
        yield session


ShareRead = Annotated[TenantSession, Depends(_share_read, scope="function")]


async def _link_grant(token: str, container: ContainerDep, proof: ShareCookie = None) -> ShareGrant:
    return await container.share_links.open(token, proof)


# Whoever holds the link of the path, unlocked where it has a password.
LinkGrant = Annotated[ShareGrant, Depends(_link_grant)]


async def _account_grant(job_id: UUID, principal: CurrentPrincipal, container: ContainerDep) -> ShareGrant:
    return await container.job_grants.open(principal.user_id, job_id)


# The account that is signed in, for a job that was shared with it.
AccountGrant = Annotated[ShareGrant, Depends(_account_grant)]


def guest_pass(container: Container, grant: ShareGrant, principal: Principal | None) -> GuestPass:
    """What an open stream of something shared stands on: what opened it still holds."""

    async def still_granted() -> bool:
        if isinstance(grant.source, LinkSource):
            return await container.share_links.still_open(grant.source)
        assert principal is not None
        try:
            await container.sessions.reload(principal)
            await container.job_grants.open(grant.source.user_id, grant.job_id)
        except AppError:
            return False
        return True

    opener = None if principal is None else (principal.session_id, principal.key and principal.key.id)
    return GuestPass((grant.source, grant.job_id, opener), still_granted)
