"""Refuses requests that ask for a name which is not this server's: forged links, and names that were turned on us."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import error_response
from app.core.addresses import is_loopback

_HOST = re.compile(r"(\[[0-9a-f:.%]+\]|[a-z0-9_.-]*)(:\d{1,5})?", re.IGNORECASE)
_WATCHED = frozenset({"/health", "/ready", "/version", "/metrics"})  # asked by whatever name a network gives


class HostsMiddleware:
    """Addresses always pass: no name server can point them elsewhere, and probes use them."""

    def __init__(self, app: ASGIApp, *, allowed: Sequence[str], public_url: str) -> None:
        self.app = app
        own = urlsplit(public_url).hostname
        self._names = (*allowed, *((own,) if own else ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in _WATCHED or self._is_ours(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "Not a name of this server."})
        else:
            answer = error_response(
                400,
                "host_not_allowed",
                "This server does not go by that name. Whoever runs it can set PUBLIC_URL or ALLOWED_HOSTS.",
            )
            await answer(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        named = Headers(scope=scope).getlist("host")
        if len(named) > 1:
            return False
        match = _HOST.fullmatch(named[0] if named else "")
        if match is None:
            return False
        name = match[1].lower().rstrip(".")
        return _is_address(name) or self._is_named(name, scope)

    def _is_named(self, name: str, scope: Scope) -> bool:
        if name == "localhost" or name.endswith(".localhost"):
            return True
        if self._names:
            return any(_fits(name, pattern) for pattern in self._names)
        # Nothing was said about names. On loopback a foreign one can only be a page that had its name pointed here.
        return not _reached_on_loopback(scope)


def _fits(name: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern


def _is_address(name: str) -> bool:
    if not name:
        return True  # HTTP/1.0 without a Host
    try:
        ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def _reached_on_loopback(scope: Scope) -> bool:
    server = scope.get("server")
    return server is not None and is_loopback(str(server[0]))
