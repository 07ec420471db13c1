"""Messages between this program and its child processes: a JSON object and raw bytes, length-prefixed."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, BinaryIO

Json = dict[str, Any]
_HEAD = struct.Struct("<4sII")  # mark, bytes of JSON, bytes of payload
_MARK = b"TSC1"
MAX_JSON = 16 << 20
MAX_PAYLOAD = 64 << 20


class BrokenFrameError(Exception):
    """What came through the pipe is no message."""


def pack(message: Json, payload: bytes = b"") -> bytes:
    """The head and the JSON of one message; the payload follows it on the wire."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    return _HEAD.pack(_MARK, len(body), len(payload)) + body


def write(pipe: BinaryIO, message: Json, payload: bytes = b"") -> None:
    """Writes one message and flushes."""
    pipe.write(pack(message, payload))
    if payload:
        pipe.write(payload)
    pipe.flush()


def read(pipe: BinaryIO) -> tuple[Json, bytes] | None:
    """The next message, None at the end of the pipe."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    body, payload = _sizes(head)
    data, extra = pipe.read(body), pipe.read(payload)
    if len(data) < body or len(extra) < payload:
        return None
    return json.loads(data), extra


async def read_async(reader: asyncio.StreamReader) -> tuple[Json, bytes] | None:
    """The next message, None at the end of the pipe. Raises BrokenFrameError."""
    try:
        head = await reader.readexactly(_HEAD.size)
        body, payload = _sizes(head)
        data = await reader.readexactly(body)
        extra = await reader.readexactly(payload) if payload else b""
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    try:
        return json.loads(data), extra
    except ValueError as error:
        raise BrokenFrameError("not JSON") from error


def _sizes(head: bytes) -> tuple[int, int]:
    mark, body, payload = _HEAD.unpack(head)
    if mark != _MARK or body > MAX_JSON or payload > MAX_PAYLOAD:
        raise BrokenFrameError("not a message")
    return body, payload
