"""What browsers may keep of answers of the API: reads with a tag that is asked after each time, all else nothing."""

from __future__ import annotations

import asyncio
import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READS = "private, no-cache"
_API = ("/api/", "/v1/", "/v2/")
_LARGE = 256 * 1024  # from here on hashing would hold up the loop for a millisecond


class CachingMiddleware:
    """Routes that set Cache-Control themselves are left alone: secrets have `no-store`, what never changes is kept.

    A read (200 to GET, in one piece) gets an ETag of its bytes; with the same in If-None-Match the answer is 304 and
    the body stays here. Streams, errors and answers to changes are kept nowhere.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_API):
            await self.app(scope, receive, send)
            return
        held: Message | None = None

        async def send_tagged(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("cache-control", READS) != READS:
                    await send(message)
                elif scope["method"] == "GET" and message["status"] == 200 and "etag" not in headers:
                    held = message
                else:
                    headers.setdefault(
                        "Cache-Control",
                        READS if scope["method"] == "GET" and "etag" in headers else "no-store",
                    )
                    await send(message)
                return
            if held is not None:
                start, held = held, None
                message = await _tagged(scope, start, message)
                await send(start)
            await send(message)

        await self.app(scope, receive, send_tagged)


async def _tagged(scope: Scope, start: Message, body: Message) -> Message:
    """Completes `start`; answers the body that is to be sent: none where the client has it."""
    headers = MutableHeaders(scope=start)
    if body.get("more_body", False):
        headers["Cache-Control"] = "no-store"
        return body
    content: bytes = body.get("body", b"")
    tag = await asyncio.to_thread(_tag, content) if len(content) > _LARGE else _tag(content)
    headers["ETag"] = tag
    headers["Cache-Control"] = READS
    headers.add_vary_header("Authorization")
    headers.add_vary_header("X-Workspace-Id")
    if not is_known(Headers(scope=scope).get("if-none-match"), tag):
        return body
    start["status"] = 304
    for name in ("content-length", "content-type", "content-disposition"):
        del headers[name]
    return {"type": "http.response.body", "body": b""}


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Weakly compared (RFC 9110, 13.1.2): a proxy that compresses makes a tag weak."""
    if if_none_match is None:
        return False
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in if_none_match.split(","))


def _tag(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
