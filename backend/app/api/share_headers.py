"""What every answer about something shared carries, errors too: never kept by a cache, never found by a search engine."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SHARED = re.compile(r"/(api/shares|api/shared|s)(/|$)")
_TOKEN = re.compile(r"^(/api/shares/|/s/)[^/]+")


def without_token(path: str) -> str:
    """The path as logs may show it."""
    return _TOKEN.sub(r"\1…", path)


class ShareHeadersMiddleware:
    """By path, so that no route and no error can forget them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _SHARED.match(scope["path"]):
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Cache-Control"] = "no-store"
                headers["X-Robots-Tag"] = "noindex"
            await send(message)

        await self.app(scope, receive, send_with_headers)
