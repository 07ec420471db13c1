"""Where exactly one voice follows another without a pause: listened to again with a small window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.asr.diarization.timeline import Stretch
from app.asr.diarization.types import Region

WINDOW_MS = 500
HOP_MS = 100
REACH_MS = 1000  # on both sides of a change
SHORTEST_MS = 200  # what stays of a stretch at least

F32 = npt.NDArray[np.float32]


def changes(stretches: Sequence[Stretch]) -> list[int]:
    """Positions of the stretches that follow another speaker without a pause."""
    return [
        i
        for i in range(1, len(stretches))
        if stretches[i][0] == stretches[i - 1][1] and stretches[i][2] != stretches[i - 1][2]
    ]


def probes(stretches: Sequence[Stretch], position: int) -> list[Region]:
    """The small windows around one change, inside the two stretches that it parts."""
    change = stretches[position][0]
    start = max(stretches[position - 1][0], change - REACH_MS)
    end = min(stretches[position][1], change + REACH_MS)
    return [(at, at + WINDOW_MS) for at in range(start, end - WINDOW_MS + 1, HOP_MS)]


def move(
    stretches: Sequence[Stretch], position: int, probes: Sequence[Region], likeness: F32
) -> list[Stretch]:
    """The stretches with one change moved to where the voices of the probes part best.

    `likeness` (probes, speakers) holds cosines, NaN where nothing could be told.
    """
    before, after = stretches[position - 1], stretches[position]
    lead = np.nan_to_num(likeness[:, before[2]] - likeness[:, after[2]])
    middles = np.array([(a + b) / 2 for a, b in probes])
    edges = [before[0] + SHORTEST_MS, *((middles[1:] + middles[:-1]) / 2), after[1] - SHORTEST_MS]
    worth = [lead[middles < edge].sum() - lead[middles >= edge].sum() for edge in edges]
    allowed = [before[0] + SHORTEST_MS <= edge <= after[1] - SHORTEST_MS for edge in edges]
    inner = [i for i in range(1, len(edges) - 1) if allowed[i]]
    if not inner or max(worth[i] for i in inner) <= 0:
        return list(stretches)
    change = round(edges[max(inner, key=lambda i: worth[i])])
    moved = list(stretches)
    moved[position - 1] = (before[0], change, before[2])
    moved[position] = (change, after[1], after[2])
    return moved
