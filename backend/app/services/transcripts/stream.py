"""Segments of many windows in the order of time, with a memory that does not grow with the recording. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

from app.services.transcripts.codec import segment_id

Packed = dict[str, Any]


class TimeOrder:
    """Merges windows that overlap, as those of two channels do: by start and then by end of the segments, as
    `app.asr.merge.in_time_order` has them.

    Windows are pushed by their start. What a window has heard begins inside it, so a segment is given out as soon as
    a window begins after it: never more is held than the windows of half a minute.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, int, int, Packed]] = []

    def push(self, index: int, start_ms: int, segments: Sequence[Packed]) -> Iterator[tuple[str, Packed]]:
        """Takes the segments of one more window; gives the id and packed form of those whose turn it is."""
        yield from self._until(start_ms)
        for n, packed in enumerate(segments):
            heapq.heappush(self._waiting, (packed["start_ms"], packed["end_ms"], index, n, packed))

    def rest(self) -> Iterator[tuple[str, Packed]]:
        """What is left after the last window."""
        yield from self._until(None)

    def _until(self, start_ms: int | None) -> Iterator[tuple[str, Packed]]:
        while self._waiting and (start_ms is None or self._waiting[0][0] < start_ms):
            _, _, index, n, packed = heapq.heappop(self._waiting)
            yield segment_id(index, n), packed
