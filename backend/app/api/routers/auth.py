"""/api/auth: register, sign in and out, renew, change the password."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any

from fastapi import Cookie, Depends, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import OAuth2PasswordRequestForm

from app.api.api_router import ApiRouter
from app.api.deps import AnyPrincipal, ContainerDep, CurrentPrincipal, bearer_token
from app.api.no_store import no_store
from app.api.sign_in import (
    COOKIE_PATH,
    REFRESH_COOKIE,
    device_of,
    is_secure,
    own_origin,
    set_refresh_cookie,
    token_response,
)
from app.core.errors import UnauthenticatedError
from app.schemas.auth import (
    LoginRequest,
    PasswordChange,
    RegisterRequest,
    TicketResponse,
    TokenResponse,
    UserMe,
    VerificationRequired,
)
from app.services.identity.sessions import TICKET_LIFE

router = ApiRouter(
    prefix="/api/auth",
    tags=["auth"],
    dependencies=[Depends(no_store)],
)

RefreshCookie = Annotated[str | None, Cookie(alias=REFRESH_COOKIE, include_in_schema=False)]


@router.post(
    "/register",
    status_code=201,
    response_model=TokenResponse,
    responses={
        202: {"model": VerificationRequired, "description": "The address has to be verified first."},
    },
)
async def register(
    body: RegisterRequest, request: Request, response: Response, container: ContainerDep
) -> Any:
    """A new account with a workspace of its own, signed in. The very first one is the administrator."""
    sign_in = await container.identity.registration.register(
        email=body.email,
        password=body.password,
        name=body.name,
        setup_token=body.setup_token,
        device=device_of(request),
        reached_on_loopback=_reached_on_loopback(request),
        invitation_token=body.invitation_token,
    )
    if sign_in is None:
        return JSONResponse(
            VerificationRequired().model_dump(), status_code=202, headers={"Cache-Control": "no-store"}
        )
    set_refresh_cookie(request, response, container, sign_in)
    return await token_response(container, sign_in)


@router.post("/login", response_model=TokenResponse)
async def login(body: LoginRequest, request: Request, response: Response, container: ContainerDep) -> Any:
    """Sign in. Unknown addresses and wrong passwords look the same."""
    sign_in = await container.identity.login(
        email=body.email, password=body.password, code=body.code, device=device_of(request)
    )
    set_refresh_cookie(request, response, container, sign_in)
    return await token_response(container, sign_in)


@router.post("/token", response_model=TokenResponse)
async def token(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], request: Request, container: ContainerDep
) -> Any:
    """The OAuth2 password form, for scripts and for "Authorize" in /docs: an access token and no cookie."""
    sign_in = await container.identity.login(
        email=form.username, password=form.password, device=device_of(request), with_refresh_token=False
    )
    return await token_response(container, sign_in)


@router.post(
    "/refresh",
    response_model=TokenResponse,
    dependencies=[Depends(own_origin)],
)
async def refresh(
    request: Request, response: Response, container: ContainerDep, cookie: RefreshCookie = None
) -> Any:
    """Trade the refresh cookie for its successor and a new access token. Needs no body."""
    if not cookie:
        raise UnauthenticatedError("Sign in: there is no session to go on with.")
    sign_in = await container.sessions.refresh(cookie)
    set_refresh_cookie(request, response, container, sign_in)
    return await token_response(container, sign_in)


@router.post("/logout", status_code=204, dependencies=[Depends(own_origin)])
async def logout(
    request: Request, response: Response, container: ContainerDep, cookie: RefreshCookie = None
) -> None:
    """End the session that the cookie or the bearer token belongs to, at once. Never an error."""
    access_token = bearer_token(request.headers.get("authorization"))
    await container.sessions.end(refresh_token=cookie, access_token=access_token)
    response.delete_cookie(
        REFRESH_COOKIE,
        path=COOKIE_PATH,
        secure=is_secure(request, container),
        httponly=True,
        samesite="strict",
    )


@router.get("/me", response_model=UserMe)
async def me(principal: AnyPrincipal, container: ContainerDep) -> Any:
    """Who is signed in, and their workspaces, their own first. An API key sees its own workspace only."""
    key = principal.key
    return await container.identity.profile(principal.user_id, key_of=key.workspace_id if key else None)


@router.post("/password", status_code=204)
async def password(body: PasswordChange, principal: CurrentPrincipal, container: ContainerDep) -> None:
    """Change the password. All other sessions end at once."""
    await container.identity.change_password(principal, body.current_password, body.new_password)


@router.post("/ticket", response_model=TicketResponse)
async def ticket(principal: CurrentPrincipal, container: ContainerDep) -> Any:
    """A one-time pass for a WebSocket, where browsers cannot send a bearer token."""
    issued = await container.sessions.issue_ticket(principal)
    return {"ticket": issued, "expires_in": int(TICKET_LIFE.total_seconds())}


def _reached_on_loopback(request: Request) -> bool:
    """False where this request came in over a network interface (`uvicorn --host` says nothing to the settings), or
    through a proxy on this machine."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    server = request.scope.get("server")
    try:
        return server is None or ipaddress.ip_address(server[0]).is_loopback
    except ValueError:
        return True  # a socket file
