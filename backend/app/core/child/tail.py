"""The last that a child process wrote to its standard error."""

from __future__ import annotations

import asyncio
import contextlib

_KEPT = 8192
_CHUNK = 4096
_WAIT_SECONDS = 1.0


class LogTail:
    """Reads all of it, so that the child never waits, and keeps the end. Belongs to one event loop."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self._end = b""
        self._task = asyncio.create_task(self._read(), name="log-tail")

    async def text(self) -> str:
        """What there is; of a process that has ended, all of the end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WAIT_SECONDS):
                await asyncio.shield(self._task)
        return self._end.decode("utf-8", "replace")

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await self._stream.read(_CHUNK):
                self._end = (self._end + chunk)[-_KEPT:]
