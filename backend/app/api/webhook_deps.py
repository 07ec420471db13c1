"""What the routers of webhooks ask for: a person who manages the workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from app.api.deps import ContainerDep, CurrentTenant, Tenant, require_session
from app.api.write_session import note_write_session
from app.db.session import TenantSession
from app.services.identity.roles import require_manager


async def _manager(tenant: CurrentTenant) -> Tenant:
    require_session(tenant.principal)
    require_manager(tenant.role)
    return tenant


# Owners and admins, signed in. Keys are for recordings and transcripts.
WebhookManager = Annotated[Tenant, Depends(_manager)]


async def _write(
    request: Request, container: ContainerDep, tenant: WebhookManager
) -> AsyncIterator[TenantSession]:
    async with container.database.tenant(tenant.workspace_id) as session:
        note_write_session(request, session)
        yield session


async def _read(container: ContainerDep, tenant: WebhookManager) -> AsyncIterator[TenantSession]:
    async with container.database.tenant(tenant.workspace_id, read_only=True) as session:
        yield session


WebhookWrite = Annotated[TenantSession, Depends(_write, scope="function")]
WebhookRead = Annotated[TenantSession, Depends(_read, scope="function")]
