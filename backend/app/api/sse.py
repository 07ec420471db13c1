"""Server-sent events on the wire."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import StreamingResponse
from starlette.types import Message as AsgiMessage
from starlette.types import Send

from app.api.streams import Message
from app.core.logging import get_logger

log = get_logger(__name__)

LastEventId = Annotated[str | None, Header(description="Replay what came after this id.")]

# One event, as most readers of such documents take it; `data` is JSON.
_EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "event": {"enum": ["status", "segments", "progress", "end", "removed", "resync"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": "integer", "description": "Milliseconds."},
    },
}
EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A stream of events: status (Job), segments (SegmentsEvent), progress (ProgressEvent, without "
        "an id), end (EndEvent), and for a whole list removed (RemovedEvent, without an id) and resync ({}: too much was "
        "missed, read the list anew).",
        "content": {"text/event-stream": {"schema": _EVENT}},
    }
}
_NUMBER = re.compile(r"[0-9]{1,18}")  # what a database can hold
SLOW_SECONDS = (
    30.0  # a reader that takes nothing for so long is let go; it comes back with the id it has seen
)
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def sequence(last_event_id: str | None) -> int | None:
    """The id to replay after; anything that is not a number of ours begins anew."""
    return int(last_event_id) if last_event_id and _NUMBER.fullmatch(last_event_id) else None


def _encode(message: Message) -> str:
    if message.type is None:
        return ": still here\n\n"
    head = f"id: {message.seq}\n" if message.seq is not None else ""
    data = json.dumps(message.data, ensure_ascii=False, separators=(",", ":"))
    return f"{head}event: {message.type}\ndata: {data}\n\n"


async def encoded(messages: AsyncIterator[Message]) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async for message in messages:
        yield _encode(message)


class EventStream(StreamingResponse):
    """Messages as they come. Nothing is kept for a reader that does not read: it is let go."""

    def __init__(self, messages: AsyncIterator[Message]) -> None:
        super().__init__(encoded(messages), media_type="text/event-stream", headers=STREAM_HEADERS)

    async def stream_response(self, send: Send) -> None:
        async def send_in_time(message: AsgiMessage) -> None:
            async with asyncio.timeout(SLOW_SECONDS):
                await send(message)

        try:
            await super().stream_response(send_in_time)
        except TimeoutError:
            log.info("slow_reader_let_go")
