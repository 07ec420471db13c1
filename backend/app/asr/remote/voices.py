"""The same speaker under the same label in all windows of a recording: samples of the first window's voices go along
with the later ones, for models that take them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace

from app.asr.remote import flac
from app.asr.types import Segment, Window, WindowResult

SHORTEST_MS, LONGEST_MS = 2_000, 10_000  # of a sample, as OpenAI takes them
_BYTES_PER_MS = 32


class Voices:
    """The voices known in one run. The first window that is asked for makes the samples; the others wait for it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._samples: dict[str, str] = {}
        self._first: int | None = None
        self._ready = asyncio.Event()

    async def known(self, window: Window) -> Mapping[str, str]:
        """Samples as data URLs by label; none for the first window, and where the model takes none."""
        if not self._most:
            return {}
        if self._first is None:
            self._first = window.index
        if self._first == window.index:
            return {}
        await self._ready.wait()
        return self._samples

    def over(self, window: Window) -> None:
        """The window has been heard, or failed: nobody waits for it any longer."""
        if self._first == window.index:
            self._ready.set()

    async def named(self, window: Window, pcm: bytes, result: WindowResult) -> WindowResult:
        """The result with labels that hold for the whole job: those that were sent along, else labels of the window's
        own, for its A may be another person than the A of the first one."""
        segments = tuple(self._label(segment, window) for segment in result.segments)
        if self._first == window.index and not self._samples:
            chosen = _longest(segments)
            for label in list(chosen)[: self._most]:
                self._samples[label] = await asyncio.to_thread(_sample, chosen[label], window, pcm)
        return replace(result, segments=segments)

    def _label(self, segment: Segment, window: Window) -> Segment:
        said = segment.speaker
        if said is None or window.index == 0 or (window.index != self._first and said in self._samples):
            return segment
        return replace(segment, speaker=f"{said}{window.index + 1}")


def _longest(segments: tuple[Segment, ...]) -> dict[str, Segment]:
    """The longest segment of each speaker who has one that is long enough, who speaks longest first."""
    best: dict[str, Segment] = {}
    for segment in sorted(segments, key=lambda s: s.start_ms - s.end_ms):
        if segment.speaker is not None and segment.end_ms - segment.start_ms >= SHORTEST_MS:
            best.setdefault(segment.speaker, segment)
    return best


def _sample(segment: Segment, window: Window, pcm: bytes) -> str:
    start = (segment.start_ms - window.start_ms) * _BYTES_PER_MS
    length = min(segment.end_ms - segment.start_ms, LONGEST_MS) * _BYTES_PER_MS
    return "data:audio/flac;base64," + base64.b64encode(flac.encode(pcm[start : start + length])).decode()
