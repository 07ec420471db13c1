"""The client's address and scheme, by the count of proxies in front: never because a stranger's header says so."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.logging import get_logger

log = get_logger(__name__)

_SCHEMES = {"http": {"http": "http", "https": "https"}, "websocket": {"http": "ws", "https": "wss"}}


class ForwardedMiddleware:
    """Each trusted proxy adds whom it heard from to the right end of X-Forwarded-For; what stands further left
    anybody can have written. The host is never taken from a header of proxies: PUBLIC_URL says it."""

    def __init__(self, app: ASGIApp, *, proxies: int) -> None:
        self.app = app
        self._proxies = proxies
        self._told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in _SCHEMES:
            headers = Headers(scope=scope)
            if self._proxies == 0:
                self._tell_once(headers)
            else:
                scope = self._seen_through(scope, headers)
        await self.app(scope, receive, send)

    def _seen_through(self, scope: Scope, headers: Headers) -> Scope:
        changed = dict(scope)
        address = client_address(_listed(headers, "x-forwarded-for"), self._proxies)
        if address is not None:
            changed["client"] = (address, 0)
        schemes = _listed(headers, "x-forwarded-proto")
        if schemes:
            # Some proxies replace it and some add to it; the count holds where there are as many.
            said = schemes[-self._proxies] if len(schemes) >= self._proxies else schemes[-1]
            changed["scheme"] = _SCHEMES[scope["type"]].get(said.lower(), scope["scheme"])
        return changed

    def _tell_once(self, headers: Headers) -> None:
        if not self._told and "x-forwarded-for" in headers:
            self._told = True
            log.warning("forwarded_header_ignored", hint="a proxy of yours in front? Set TRUSTED_PROXIES")


def client_address(listed: list[str], proxies: int) -> str | None:
    """The entry that the outermost trusted proxy wrote; None where it is no address, or a proxy was passed by."""
    if len(listed) < proxies:
        return None
    entry = listed[-proxies]
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return None


def _listed(headers: Headers, name: str) -> list[str]:
    return [part.strip() for line in headers.getlist(name) for part in line.split(",") if part.strip()]
