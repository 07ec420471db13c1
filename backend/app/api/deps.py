"""What routers ask for: the container, who is calling, and database sessions that commit before the reply."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.security import OAuth2PasswordBearer
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from app.api.origins import require_own_origin
from app.api.write_session import note_write_session
from app.core.addresses import is_loopback
from app.core.caller import current_caller
from app.core.errors import AppError, ForbiddenError, NotFoundError, UnauthenticatedError
from app.core.logging import bind_contextvars
from app.core.security import SIGN_IN_AGAIN
from app.db.session import SystemSession, TenantSession
from app.factory import Container
from app.models.api_keys import Scope
from app.models.workspaces import Role
from app.services.identity.roles import WRITERS
from app.services.identity.sessions import Principal
from app.services.identity.workspaces import resolve_workspace

__all__ = [
    "AnyPrincipal",
    "ContainerDep",
    "CurrentAdmin",
    "CurrentPrincipal",
    "CurrentTenant",
    "Principal",
    "SystemRead",
    "SystemWrite",
    "Tenant",
    "TenantRead",
    "TenantWrite",
    "TenantWriter",
    "authenticate",
    "authenticate_socket",
    "authenticate_writer",
    "bearer_token",
    "get_container",
    "require_key_of",
    "require_operator",
    "require_session",
    "resolve_tenant",
    "still_welcome",
]


async def get_container(connection: HTTPConnection) -> Container:
    """Built in the lifespan; one a process."""
    container: Container = connection.app.state.container
    return container


ContainerDep = Annotated[Container, Depends(get_container)]


async def _system_write(request: Request, container: ContainerDep) -> AsyncIterator[SystemSession]:
    async with container.database.system() as session:
        note_write_session(request, session)
        yield session


# scope="function": the transaction ends when the endpoint returns, before the answer leaves.
SystemWrite = Annotated[SystemSession, Depends(_system_write, scope="function")]


async def _system_read(container: ContainerDep) -> AsyncIterator[SystemSession]:
    async with container.database.system(read_only=True) as session:
        yield session


# For identity, which is of no workspace. On Postgres it may see rows that a writer has just committed elsewhere.
SystemRead = Annotated[SystemSession, Depends(_system_read, scope="function")]


def bearer_token(authorization: str | None) -> str | None:
    """The token of an Authorization header; None where there is none or it is of another scheme."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


async def authenticate(container: Container, authorization: str | None) -> Principal:
    """Who is calling, from the Authorization header. Also for WebSockets and streaming uploads.

    The session is looked up in a short transaction of its own, which is over when this returns.
    Raises `UnauthenticatedError`, which looks the same whatever was wrong.
    """
    token = bearer_token(authorization)
    if token is None:
        raise UnauthenticatedError(SIGN_IN_AGAIN)
    principal = await container.sessions.authenticate(token)
    _note_caller(container, principal)
    return principal


def _note_caller(container: Container, principal: Principal) -> None:
    """From now on the logs, and what is recorded, name who is calling."""
    bind_contextvars(user_id=str(principal.user_id))
    caller = current_caller()
    caller.user_id = principal.user_id
    if principal.key is not None:
        bind_contextvars(api_key_id=str(principal.key.id))
        caller.api_key_id = principal.key.id
        container.key_uses.note(principal.key.id)


# "Authorize" in /docs signs in through this; the header itself is read by `authenticate`.
_docs_scheme = OAuth2PasswordBearer(tokenUrl="/api/auth/token", auto_error=False)


async def _any_principal(
    request: Request, container: ContainerDep, _token: Annotated[str | None, Depends(_docs_scheme)]
) -> Principal:
    return await authenticate(container, request.headers.get("authorization"))


# Whoever is calling, with a session or a key.
AnyPrincipal = Annotated[Principal, Depends(_any_principal)]


async def _current_principal(principal: AnyPrincipal) -> Principal:
    return require_session(principal)


# A person with a session: what keys must not reach stands behind this.
CurrentPrincipal = Annotated[Principal, Depends(_current_principal)]


def require_key_of(principal: Principal, workspace_id: UUID) -> None:
    """A key knows its own workspace only. Raises `NotFoundError`."""
    if principal.key is not None and principal.key.workspace_id != workspace_id:
        raise NotFoundError


def require_session(principal: Principal) -> Principal:
    """Raises `ForbiddenError` for API keys."""
    if principal.key is not None:
        raise ForbiddenError(
            "API keys work on recordings and transcripts only. Sign in to change accounts, workspaces or keys."
        )
    return principal


async def _current_admin(principal: CurrentPrincipal) -> Principal:
    if not principal.is_admin:
        raise ForbiddenError("This is for administrators.")
    return principal


CurrentAdmin = Annotated[Principal, Depends(_current_admin)]


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who is calling, in which workspace, and what they may do there."""

    principal: Principal
    workspace_id: UUID
    role: Role

    @property
    def user_id(self) -> UUID:
        return self.principal.user_id

    def require_writer(self) -> None:
        """Raises `ForbiddenError` for viewers, and for keys that may only read."""
        if self.role not in WRITERS:
            raise ForbiddenError("Viewers of a workspace can read, but not change anything.")
        key = self.principal.key
        if key is not None and Scope.WRITE not in key.scopes:
            raise ForbiddenError("This API key may only read.")


async def require_operator(container: Container, request: Request) -> None:
    """Who asks from this machine itself, or an administrator. A forwarded request does not come from this machine."""
    host = request.client.host if request.client else ""
    forwarded = "x-forwarded-for" in request.headers or "forwarded" in request.headers
    if is_loopback(host) and not forwarded:
        return
    principal = await authenticate(container, request.headers.get("authorization"))
    if not principal.is_admin:
        raise ForbiddenError("This is for administrators.")


async def resolve_tenant(container: Container, principal: Principal, workspace: str | None) -> Tenant:
    """The workspace that `X-Workspace-Id` names, or the caller's own where the header is missing.

    Raises `NotFoundError` for unknown, foreign and malformed ids alike. Membership is read afresh each time.
    """
    async with container.database.system(read_only=True) as session:
        return await _tenant_in(session, principal, workspace)


async def _tenant_in(session: SystemSession, principal: Principal, workspace: str | None) -> Tenant:
    if principal.key is not None:  # a key means its own workspace, and knows no other
        own = str(principal.key.workspace_id)
        if workspace is not None and workspace.lower() != own:
            raise NotFoundError
        workspace = own
    found = await resolve_workspace(session, principal.user_id, workspace)
    bind_contextvars(workspace_id=str(found.id))
    return Tenant(principal, found.id, found.role)


async def authenticate_tenant(
    container: Container, authorization: str | None, workspace: str | None
) -> Tenant:
    """`authenticate` and `resolve_tenant` in one transaction: what nearly every request needs."""
    token = bearer_token(authorization)
    if token is None:
        raise UnauthenticatedError(SIGN_IN_AGAIN)
    async with container.database.system(read_only=True) as session:
        principal = await container.sessions.identify(session, token)
        _note_caller(container, principal)
        return await _tenant_in(session, principal, workspace)


async def authenticate_writer(container: Container, request: Request) -> Tenant:
    """`TenantWriter` for endpoints that must know who is calling before they read a byte of the body."""
    headers = request.headers
    tenant = await authenticate_tenant(container, headers.get("authorization"), headers.get("x-workspace-id"))
    tenant.require_writer()
    return tenant


async def authenticate_socket(container: Container, websocket: WebSocket) -> Tenant:
    """A WebSocket's caller: by bearer header or one-time `?ticket=`, and from our own pages only.

    Browsers cannot set headers here, so the workspace may also stand in `?workspace_id=`.
    """
    require_own_origin(websocket, container.settings.server)
    ticket = websocket.query_params.get("ticket")
    if ticket:
        principal = await container.sessions.redeem_ticket(ticket)
        _note_caller(container, principal)
    else:
        principal = await authenticate(container, websocket.headers.get("authorization"))
    workspace = websocket.headers.get("x-workspace-id") or websocket.query_params.get("workspace_id")
    return await resolve_tenant(container, principal, workspace)


async def still_welcome(container: Container, tenant: Tenant) -> bool:
    """For open streams, asked from time to time: the session lives, and its user still belongs to the workspace."""
    try:
        principal = await container.sessions.reload(tenant.principal)
        await resolve_tenant(container, principal, str(tenant.workspace_id))
    except AppError:
        return False
    return True


async def _current_tenant(
    request: Request,
    container: ContainerDep,
    _token: Annotated[str | None, Depends(_docs_scheme)],
    x_workspace_id: Annotated[
        str | None, Header(description="The workspace that is meant; by default your own.")
    ] = None,
) -> Tenant:
    return await authenticate_tenant(container, request.headers.get("authorization"), x_workspace_id)


# For endpoints that open short transactions of their own: streams, long work.
CurrentTenant = Annotated[Tenant, Depends(_current_tenant)]


async def _tenant_writer(tenant: CurrentTenant) -> Tenant:
    tenant.require_writer()
    return tenant


# The same, for members who may change things.
TenantWriter = Annotated[Tenant, Depends(_tenant_writer)]


async def _tenant_read(container: ContainerDep, tenant: CurrentTenant) -> AsyncIterator[TenantSession]:
    async with container.database.tenant(tenant.workspace_id, read_only=True) as session:
        yield session


async def _tenant_write(
    request: Request, container: ContainerDep, tenant: TenantWriter
) -> AsyncIterator[TenantSession]:
    async with container.database.tenant(tenant.workspace_id) as session:
        note_write_session(request, session)
        yield session


TenantRead = Annotated[TenantSession, Depends(_tenant_read, scope="function")]
TenantWrite = Annotated[TenantSession, Depends(_tenant_write, scope="function")]
