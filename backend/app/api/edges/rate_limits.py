"""Turns away who asks too often, before a byte of the body is read, and tells everybody how much is left."""

from __future__ import annotations

import hashlib
import math

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.deps import bearer_token
from app.api.edges.operations import Kind, kind_of
from app.api.errors import app_error_response
from app.core.addresses import counted_as
from app.core.errors import RateLimitedError, UnauthenticatedError
from app.core.rates import Verdict
from app.factory import Container
from app.services.identity.api_keys import looks_like_key

_SENTENCES = {
    Kind.SUBMISSION: "Too many transcriptions at once.",
    Kind.UPLOAD: "Too many uploads at once.",
    Kind.AUTH: "Too many attempts.",
    Kind.UNLOCK: "Too many attempts.",
    None: "Too many requests.",
}
_UNCOUNTED = (
    "/api/store/",
    "/health",
    "/ready",
    "/metrics",
)  # signed, or asked by what watches over the server


class RateLimitMiddleware:
    """Counts by address, and submissions also by account or API key, as `operations.OPERATIONS` says."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        counted = scope["type"] == "websocket" or (
            scope["type"] == "http" and scope["method"] != "OPTIONS" and not _is_page(scope["path"])
        )
        container: Container | None = getattr(scope["app"].state, "container", None) if counted else None
        if container is None or container.rates is None:
            await self.app(scope, receive, send)
            return
        kind = kind_of(scope.get("method", ""), scope["path"])
        verdict = await container.rates.count(_entries(scope, container, kind))
        if verdict is None:
            await self.app(scope, receive, send)
        elif verdict.allowed:
            await self.app(scope, receive, _with_headers(scope, send, verdict))
        else:
            await _refuse(scope, receive, send, kind, verdict)


def _is_page(path: str) -> bool:
    """Built pages are files; only what works on something is counted."""
    return not path.startswith(("/api/", "/ws/", "/v1/", "/v2/")) or path.startswith(_UNCOUNTED)


def _entries(scope: Scope, container: Container, kind: Kind | None) -> list[tuple[str, str]]:
    client = scope.get("client")
    address = counted_as(client[0]) if client else ""
    entries = [("requests", address)]
    if kind is not None:
        entries.append((kind, address))
    if kind in (Kind.SUBMISSION, Kind.UPLOAD):
        entries += _who(scope, container, kind)
    return entries


def _who(scope: Scope, container: Container, kind: Kind) -> list[tuple[str, str]]:
    """By the signature alone: whether session or key still hold is asked later, by the route."""
    token = bearer_token(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))
    if token is None:
        return []
    if looks_like_key(token):
        return [(f"{kind}_key", hashlib.sha256(token.encode()).hexdigest())]
    try:
        return [(f"{kind}_user", str(container.sessions.read_claims(token).user_id))]
    except UnauthenticatedError:
        return []


async def _refuse(scope: Scope, receive: Receive, send: Send, kind: Kind | None, verdict: Verdict) -> None:
    seconds = max(1, math.ceil(verdict.reset_seconds))
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "Too many requests."})
        return
    error = RateLimitedError(f"{_SENTENCES[kind]} Try again in {seconds} s.", retry_after=seconds)
    await app_error_response(error)(scope, receive, _with_headers(scope, send, verdict))


def _with_headers(scope: Scope, send: Send, verdict: Verdict) -> Send:
    if scope["type"] == "websocket":
        return send

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["RateLimit-Limit"] = str(verdict.limit)
            headers["RateLimit-Remaining"] = str(verdict.remaining)
            headers["RateLimit-Reset"] = str(math.ceil(verdict.reset_seconds))
            headers["RateLimit-Policy"] = f"{verdict.limit};w={verdict.window_seconds}"
        await send(message)

    return send_with_headers
