"""Which stretches of speech are listened to, and their samples cut out of the running decoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from app.asr.diarization.types import Region

WINDOW_MS = 1500
HOP_MS = 750
SHORTEST_MS = 100  # less than this holds no voice
JOIN_MS = 120  # regions with less between them are one: a breath, or the border of two windows of the plan
SAMPLES_PER_MS = 16

Pcm = npt.NDArray[np.int16]


def join(regions: Iterable[Region], gap_ms: int = JOIN_MS) -> list[Region]:
    """The regions in order, overlapping and close ones made one, the shortest left out."""
    joined: list[Region] = []
    for start, end in sorted(regions):
        if joined and start - joined[-1][1] <= gap_ms:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return [(start, end) for start, end in joined if end - start >= SHORTEST_MS]


def windows(region: Region, window_ms: int = WINDOW_MS, hop_ms: int = HOP_MS) -> list[Region]:
    """Windows over a region: the whole of it where it is short, else one every `hop_ms`, the last at its end."""
    start, end = region
    last = end - window_ms
    if last <= start:
        return [region]
    starts = [*range(start, last, hop_ms), last]
    if len(starts) > 2 and starts[-1] - starts[-2] < hop_ms // 2:
        del starts[-2]
    return [(at, at + window_ms) for at in starts]


def cut(blocks: Iterable[Pcm], spans: Sequence[Region]) -> Iterator[tuple[int, Pcm]]:
    """Index and samples of each span, as soon as its end has been read.

    Holds the samples since the start of the earliest span that is not done. A span that the recording does not reach
    to the end is cut short, or left out where less than SHORTEST_MS of it is there.
    """
    order = sorted(range(len(spans)), key=lambda i: (spans[i][1], spans[i][0]))
    wanted = [
        spans[i][0] * SAMPLES_PER_MS for i in order
    ]  # the first sample wanted by this span or a later one
    for at in range(len(wanted) - 2, -1, -1):
        wanted[at] = min(wanted[at], wanted[at + 1])
    held, first, done = np.zeros(0, np.int16), 0, 0  # `first` is the absolute number of held[0]
    for block in blocks:
        if done == len(order):
            return
        held = np.concatenate((held, block))
        while done < len(order) and spans[order[done]][1] * SAMPLES_PER_MS <= first + held.size:
            yield order[done], _slice(held, spans[order[done]], first)
            done += 1
        if done < len(order):
            past = min(max(0, wanted[done] - first), held.size)
            held, first = held[past:], first + past
    for i in order[done:]:
        piece = _slice(held, spans[i], first)
        if piece.size >= SHORTEST_MS * SAMPLES_PER_MS:
            yield i, piece


def _slice(held: Pcm, span: Region, first: int) -> Pcm:
    start, end = (max(0, ms * SAMPLES_PER_MS - first) for ms in span)
    return held[start:end]
