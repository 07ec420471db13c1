"""From windows with voices to turns: a small hidden Markov model over a grid of quarter seconds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from app.asr.diarization.types import Region, Turn

CELL_MS = 250
# What a change of the speaker must be worth, in cosine times seconds: a stretch of another voice that is 0.4 nearer
# to it counts from 0.75 s on inside speech, and after a pause from 0.25 s on.
CHANGE_COST = 0.15
CHANGE_COST_AFTER_PAUSE = 0.05
TURN_GAP_MS = 500  # a pause up to this does not end the turn of a speaker who goes on

F32 = npt.NDArray[np.float32]
Stretch = tuple[int, int, int]  # start_ms, end_ms, number of the speaker


def stretches(regions: Sequence[Region], windows: Sequence[Region], likeness: F32) -> list[Stretch]:
    """Who speaks when inside the regions. `likeness` (windows, speakers) holds cosines to the speakers' centres;
    windows are in order, each inside one region."""
    costs: list[F32] = []
    cells: list[Region] = []
    begins: list[bool] = []
    at = 0
    for start, end in regions:
        first = at
        while at < len(windows) and windows[at][0] < end:
            at += 1
        grid = _grid(start, end)
        costs.append(_cell_likeness(grid, windows[first:at], likeness[first:at]))
        cells += grid
        begins += [True] + [False] * (len(grid) - 1)
    if not cells:
        return []
    return _join(cells, begins, _best_path(cells, begins, np.concatenate(costs)))


def _grid(start: int, end: int) -> list[Region]:
    edges = [*range(start, end, CELL_MS), end]
    if len(edges) > 2 and edges[-1] - edges[-2] < CELL_MS // 2:
        del edges[-2]
    return list(pairwise(edges))


def _cell_likeness(grid: Sequence[Region], windows: Sequence[Region], likeness: F32) -> F32:
    """For each cell the mean over the windows that cover it; the nearer its middle, the more a window counts."""
    if not len(windows):  # nothing could be told here: it goes with what is beside it
        return np.zeros((len(grid), likeness.shape[1]), np.float32)
    middles = np.array([(a + b) / 2 for a, b in grid], np.float32)
    centres = np.array([(a + b) / 2 for a, b in windows], np.float32)
    halves = np.array([(b - a) / 2 + CELL_MS / 2 for a, b in windows], np.float32)
    weights = np.maximum(1 - np.abs(middles[:, None] - centres) / halves, 0) ** 2
    sums = weights.sum(axis=1, keepdims=True)
    return np.where(sums > 0, weights @ likeness / np.maximum(sums, 1e-9), 0).astype(np.float32)


def _best_path(cells: Sequence[Region], begins: Sequence[bool], likeness: F32) -> list[int]:
    """Viterbi: the sequence of speakers with the greatest likeness less the costs of its changes."""
    seconds = np.array([(b - a) / 1000 for a, b in cells], np.float32)
    gains = likeness * seconds[:, None]
    score = gains[0].astype(np.float64)
    back = np.zeros(gains.shape, np.int16)
    for i in range(1, len(cells)):
        best = int(np.argmax(score))
        changed = score[best] - (CHANGE_COST_AFTER_PAUSE if begins[i] else CHANGE_COST)
        stays = score >= changed
        back[i] = np.where(stays, np.arange(len(score)), best)
        score = np.where(stays, score, changed) + gains[i]
    path = [int(np.argmax(score))]
    for i in range(len(cells) - 1, 0, -1):
        path.append(int(back[i, path[-1]]))
    return path[::-1]


def _join(cells: Sequence[Region], begins: Sequence[bool], path: Sequence[int]) -> list[Stretch]:
    joined: list[Stretch] = []
    for (start, end), begin, speaker in zip(cells, begins, path, strict=True):
        if joined and not begin and joined[-1][2] == speaker:
            joined[-1] = (joined[-1][0], end, speaker)
        else:
            joined.append((start, end, speaker))
    return joined


def turns(stretches: Sequence[Stretch]) -> list[Turn]:
    """Turns of named speakers: stretches of one speaker with short pauses between are one."""
    names: dict[int, str] = {}
    made: list[Turn] = []
    for start, end, number in stretches:
        name = names.setdefault(number, f"S{len(names) + 1}")
        if made and made[-1].speaker == name and start - made[-1].end_ms <= TURN_GAP_MS:
            made[-1] = Turn(made[-1].start_ms, end, name)
        else:
            made.append(Turn(start, end, name))
    return made
