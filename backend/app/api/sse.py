"""Server-sent events on the wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header

from app.api.streams import Message

LastEventId = Annotated[str | None, Header(description="Replay what came after this id.")]

EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A stream of events: status (Job), segments (SegmentsEvent), progress (ProgressEvent, without "
        "an id), end (EndEvent).",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def sequence(last_event_id: str | None) -> int | None:
    """The id to replay after; anything that is not a number of ours begins anew."""
    return (
        int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else None
    )


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
