"""/api/auth/oidc: sign in through the provider that the operator has configured, and link accounts to it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Cookie, Depends, Request, Response
from fastapi.responses import RedirectResponse

from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep, CurrentPrincipal
from app.api.no_store import no_store
from app.api.sign_in import device_of, is_secure, own_origin, set_refresh_cookie, token_response
from app.core.errors import UnavailableError
from app.factory import Container
from app.schemas.auth import CodeOnly, LinkedIdentities, PasswordOnly, ProviderPage, TokenResponse
from app.services.identity.oidc import Landing, Place, SignInRefusedError

FLOW_COOKIE = "transcribe_oidc"
FLOW_PATH = "/api/auth/oidc"
FLOW_COOKIE_SECONDS = 600
PAGES = {Place.LOGIN: "/login", Place.SECURITY: "/settings/security"}

FlowCookie = Annotated[str | None, Cookie(alias=FLOW_COOKIE, include_in_schema=False)]
_REDIRECT: dict[int | str, dict[str, Any]] = {
    303: {"description": "To the provider, or to a page of ours; `?oidc=` says how it went (docs/api.md)."},
}

router = ApiRouter(prefix="/api/auth/oidc", tags=["oidc"], dependencies=[Depends(no_store)])


@router.get("/start", status_code=303, response_class=RedirectResponse, responses=_REDIRECT)
async def start(request: Request, container: ContainerDep, next: str = "/") -> Response:  # noqa: A002 (the parameter of the address)
    """Off to the provider; `next` is the path of ours to end on."""
    try:
        url, cookie = await container.oidc.begin(next)
    except SignInRefusedError as error:
        return _land(request, container, Landing(Place.LOGIN, error.reason))
    response = _redirect(url)
    _keep(request, response, container, cookie)
    return response


@router.get("/callback", status_code=303, response_class=RedirectResponse, responses=_REDIRECT)
async def callback(request: Request, container: ContainerDep, cookie: FlowCookie = None) -> Response:
    """Back from the provider. Whatever went wrong, the browser ends on a page that says so."""
    landing = await container.oidc.finish(request.query_params, cookie, device_of(request))
    return _land(request, container, landing)


@router.post("/factor", response_model=TokenResponse, dependencies=[Depends(own_origin)])
async def factor(
    body: CodeOnly, request: Request, response: Response, container: ContainerDep, cookie: FlowCookie = None
) -> Any:
    """The second factor, after the provider (`?oidc=totp`). 401 `totp_invalid`, `oidc_expired`."""
    sign_in = await container.oidc.prove(cookie, body.code, device_of(request))
    set_refresh_cookie(request, response, container, sign_in)
    _forget(request, response, container)
    return await token_response(container, sign_in)


@router.post("/link", response_model=ProviderPage)
async def link(
    body: PasswordOnly,
    request: Request,
    response: Response,
    principal: CurrentPrincipal,
    container: ContainerDep,
) -> Any:
    """Begin to link one's account: the browser goes to `url`, and comes back to the security page."""
    try:
        url, cookie = await container.oidc.begin_link(principal, body.password)
    except SignInRefusedError as error:
        raise UnavailableError("The provider does not answer. Try again later.") from error
    _keep(request, response, container, cookie)
    return {"url": url}


@router.get("/identities", response_model=LinkedIdentities)
async def identities(principal: CurrentPrincipal, container: ContainerDep) -> Any:
    """The provider's accounts that sign in to yours."""
    return {"items": await container.oidc.identities(principal)}


@router.delete("/identities/{identity_id}", status_code=204)
async def remove(identity_id: str, principal: CurrentPrincipal, container: ContainerDep) -> None:
    """Signs in no more. 409 `invalid_state` where it is the only way in."""
    await container.oidc.remove(principal, identity_id)


def _land(request: Request, container: Container, landing: Landing) -> Response:
    query = {"oidc": str(landing.result)} | ({"next": landing.next} if landing.next != "/" else {})
    response = _redirect(f"{PAGES[landing.place]}?{urlencode(query)}")
    if landing.sign_in is not None:
        set_refresh_cookie(request, response, container, landing.sign_in)
    if landing.cookie is not None:
        _keep(request, response, container, landing.cookie)
    else:
        _forget(request, response, container)
    return response


def _redirect(url: str) -> Response:
    return RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})


def _keep(request: Request, response: Response, container: Container, value: str) -> None:
    """Lax, because the provider sends the browser back from another site."""
    response.set_cookie(
        FLOW_COOKIE,
        value,
        max_age=FLOW_COOKIE_SECONDS,
        path=FLOW_PATH,
        secure=is_secure(request, container),
        httponly=True,
        samesite="lax",
    )


def _forget(request: Request, response: Response, container: Container) -> None:
    response.delete_cookie(
        FLOW_COOKIE, path=FLOW_PATH, secure=is_secure(request, container), httponly=True, samesite="lax"
    )
