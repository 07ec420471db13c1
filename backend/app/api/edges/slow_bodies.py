"""Ends requests whose bodies come too slowly, under any ASGI server.

Only time in which the application waits for bytes counts, so a slow disk of ours is nobody's fault. What a server does
before it calls the application (headers) and after (answers that nobody reads) is `app.cli.patient_protocol`'s.
"""

from __future__ import annotations

import asyncio
import time

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.patience import Patience


class SlowBodyMiddleware:
    """408 `request_timeout`, and the connection is closed: what is still to come cannot be told from a next request."""

    def __init__(self, app: ASGIApp, *, patience: type[Patience] = Patience) -> None:
        self.app = app
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        patience, complete = self._patience(), False

        async def receive_in_time() -> Message:
            nonlocal complete
            if complete:
                return await receive()
            began = time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, patience.left)):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    408, "The body came too slowly. Try again.", headers={"Connection": "close"}
                ) from None
            patience.waited(time.monotonic() - began)
            patience.came(len(message.get("body", b"")))
            complete = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        await self.app(scope, receive_in_time, send)
