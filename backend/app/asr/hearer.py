"""What turns windows into text, as the pipeline sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from app.asr.types import EngineSpec, Window, WindowOptions, WindowResult

Start = Callable[[], Awaitable[WindowOptions | None]]


class Hearer(Protocol):
    """Whoever turns windows into text: the pool of engine processes, or a provider."""

    async def submit(
        self,
        job: str,
        spec: EngineSpec,
        options: WindowOptions,
        window: Window,
        pcm: bytes,
        on_start: Start,
    ) -> WindowResult:
        """The text of one window (`pcm`: 16 kHz mono int16, little endian).

        `on_start` is awaited before the samples leave; options that it returns take the place of `options`, an error of
        it is the answer. Cancelling withdraws the
        window. Raises JobError.
        """
