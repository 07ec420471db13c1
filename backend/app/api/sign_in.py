"""What every way to sign in shares: the refresh cookie, the answer with a token, the device, the page that asks."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from app.api.deps import ContainerDep
from app.api.origins import require_own_origin
from app.factory import Container
from app.services.identity.sessions import Device, SignIn

REFRESH_COOKIE = "transcribe_refresh"
COOKIE_PATH = "/api/auth"


async def own_origin(request: Request, container: ContainerDep) -> None:
    """For routes that use a cookie, as a dependency."""
    require_own_origin(request, container.settings.server)


async def token_response(container: Container, sign_in: SignIn) -> dict[str, Any]:
    """The body of `TokenResponse`."""
    return {
        "access_token": sign_in.access_token,
        "token_type": "bearer",
        "expires_in": container.sessions.access_lifetime_seconds,
        "user": await container.identity.profile(sign_in.user_id),
    }


def set_refresh_cookie(request: Request, response: Response, container: Container, sign_in: SignIn) -> None:
    """The cookie that only scripts of the server's own pages have sent along, and none can read."""
    assert sign_in.refresh_token is not None
    response.set_cookie(
        REFRESH_COOKIE,
        sign_in.refresh_token,
        max_age=int(container.sessions.refresh_lifetime.total_seconds()),
        path=COOKIE_PATH,
        secure=is_secure(request, container),
        httponly=True,
        samesite="strict",
    )


def is_secure(request: Request, container: Container) -> bool:
    """Plain http in a home network has to work; wherever https is used, the cookie travels over nothing else."""
    return request.url.scheme == "https" or container.settings.server.public_url.startswith("https://")


def device_of(request: Request) -> Device:
    """Where the request comes from, for the list of sessions."""
    return Device(
        user_agent=request.headers.get("user-agent", ""),
        address=request.client.host if request.client else "",
    )
