"""Plain ASGI middleware: request ids and logs, security headers."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.edges.headers import DOCS_POLICY
from app.api.errors import error_response
from app.api.share_headers import without_token
from app.core.caller import Caller, set_caller
from app.core.clock import new_id
from app.core.errors import FileTooLargeError
from app.core.logging import bind_contextvars, clear_contextvars, get_logger

log = get_logger("app.http")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = {"/health", "/ready", "/metrics"}


class BodyLimitShapeMiddleware:
    """The framework refuses bodies over the limit in plain text; this gives that answer the shape of all errors."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        replaced = False

        async def reshape(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                kind = MutableHeaders(raw=list(message["headers"])).get("content-type", "")
                replaced = message["status"] == 413 and kind.startswith("text/plain")
                if replaced:
                    answer = error_response(
                        413, FileTooLargeError.code, "The body is too large for this address."
                    )
                    await answer(scope, receive, send)
                    return
            if not replaced:
                await send(message)

        await self.app(scope, receive, reshape)


class RequestContextMiddleware:
    """Gives each request an id (the caller's, where it is plain), binds it to the logs and logs the outcome."""

    def __init__(self, app: ASGIApp, *, headers: Mapping[str, str]) -> None:
        self.app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_id().hex
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        set_caller(_caller(scope, request_id))
        began, status = time.monotonic(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                if scope["path"] in ("/docs", "/docs/oauth2-redirect", "/redoc"):
                    headers.setdefault("Content-Security-Policy", DOCS_POLICY)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            if scope["path"] not in _QUIET and scope["type"] == "http":
                seconds = time.monotonic() - began
                _count(scope, status, seconds)
                log.info(
                    "request",
                    method=scope["method"],
                    path=without_token(scope["path"]),
                    status=status,
                    took_ms=round(seconds * 1000),
                )


def _caller(scope: Scope, request_id: str) -> Caller:
    agent = dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1")
    client = scope.get("client")
    return Caller(client[0] if client else "", agent, request_id)


def _count(scope: Scope, status: int, seconds: float) -> None:
    """By the route's pattern, never by the path: ids would make a time series each."""
    container = getattr(scope["app"].state, "container", None)
    if container is not None:
        route = getattr(scope.get("route"), "path", "unmatched")
        container.metrics.observe_request(scope["method"], route, status, seconds)
