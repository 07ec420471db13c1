"""How many voices there are, and what each sounds like: points on the sphere in, one centre per speaker out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from app.asr.diarization.embedder import Likeness
from app.asr.diarization.linkage import Labels, Merge, heavy, labels, merges
from app.asr.diarization.types import Region

MOST_POINTS = 2000  # the tree needs n² cells: 16 MB; more windows are thinned out before
# A cluster is a speaker from this share of the windows on, but at least and at most so many windows: fewer are a cough
# or people at once, and who speaks for three minutes of ten hours is a speaker, too.
SPEAKER_SHARE = 0.02
SPEAKER_LEAST, SPEAKER_MOST = 3, 10
ROUNDS = 5

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many speakers were asked for, and the most there may be."""

    speakers: int | None = None
    max_speakers: int = 8


def centres(vectors: F32, wanted: Wanted, likeness: Likeness) -> F32:
    """One unit vector per speaker, shape (k, d), k >= 1.

    `vectors` (n, d) are unit vectors of windows in which one person speaks.
    """
    if len(vectors) == 1 or wanted.speakers == 1 or (wanted.speakers is None and wanted.max_speakers == 1):
        return _means(vectors, np.zeros(len(vectors), np.int64))
    points = vectors[thin(len(vectors), MOST_POINTS)]
    smallest = min(max(SPEAKER_LEAST, round(SPEAKER_SHARE * len(points))), SPEAKER_MOST)
    smallest = min(smallest, max(1, len(points) // 4))  # of a few windows each may be somebody
    tree = merges(points)
    counts = heavy(len(points), tree, smallest)
    if wanted.speakers is not None:
        made = _asked(counts, wanted.speakers)
    else:
        made = _found(counts, tree, wanted.max_speakers, likeness)
    return _settle(vectors, _heavy_means(points, labels(len(points), tree, made), smallest, wanted))


def purity(windows: Sequence[Region], vectors: F32) -> F32:
    """How sure it is that one person alone is heard in each window, shape (n,): the cosine between the windows before
    and after it, which meet in its middle; at the edge of a region that to the only neighbour, 1 without any. NaN in
    `vectors` counts as no neighbour."""
    n = len(windows)
    next_to = np.array([a[1] > b[0] for a, b in pairwise(windows)], bool)  # windows of one region overlap
    beside = np.nan_to_num((vectors[:-1] * vectors[1:]).sum(axis=1), nan=1.0)
    across = np.nan_to_num((vectors[:-2] * vectors[2:]).sum(axis=1), nan=1.0)
    pure = np.ones(n, np.float32)
    pure[1:] = np.where(next_to, beside, pure[1:])
    pure[:-1] = np.where(next_to, beside, pure[:-1])
    pure[1:-1] = np.where(next_to[:-1] & next_to[1:], across, pure[1:-1])
    return pure


def thin(n: int, most: int) -> Labels:
    """At most `most` of n indices, in order: drawn by chance, always the same, so that every voice keeps its share."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, most, replace=False))


def _asked(counts: Sequence[int], speakers: int) -> int:
    """The most merges after which there are so many clusters of weight, or as nearly so many as there ever are."""
    best = max(min(count, speakers) for count in counts)
    return max(made for made, count in enumerate(counts) if count >= best)


def _found(counts: Sequence[int], tree: Sequence[Merge], most: int, likeness: Likeness) -> int:
    """The merges that leave the number of clusters of weight that lives longest.

    Between the likeness below which nothing is merged and the one above which all is, each threshold gives a number
    of clusters; the number that the widest range gives is taken (A. Fred, A. Jain, "Combining multiple clusterings
    using evidence accumulation", 2005: the lifetime criterion).
    """
    lives: dict[int, float] = {}
    longest: dict[int, tuple[float, int]] = {}
    for made, count in enumerate(counts):
        above = min(tree[made - 1].likeness if made else 1.0, likeness.same)
        below = max(tree[made].likeness if made < len(tree) else -1.0, likeness.different)
        if above > below and 1 <= count <= most:
            lives[count] = lives.get(count, 0.0) + above - below
            longest[count] = max(longest.get(count, (0.0, 0)), (above - below, made))
    if not lives:  # more voices than may be, at every threshold: the finest clustering that keeps the limit
        return min(made for made in range(len(counts)) if all(1 <= count <= most for count in counts[made:]))
    return longest[max(lives, key=lambda count: lives[count])][1]


def _heavy_means(points: F32, names: Labels, smallest: int, wanted: Wanted) -> F32:
    """The centres of the clusters of weight, largest first; of all points where there is none."""
    _, inverse, sizes = np.unique(names, return_inverse=True, return_counts=True)
    order = [i for i in np.argsort(-sizes, kind="stable") if sizes[i] >= smallest]
    order = order[: wanted.speakers or wanted.max_speakers]
    if not order:
        return _means(points, np.zeros(len(points), np.int64))
    return _unit(np.array([points[inverse == i].sum(axis=0) for i in order], np.float32))


def _settle(vectors: F32, centres: F32) -> F32:
    """Spherical k-means from these centres over all windows; a centre that loses all its windows stays."""
    for _ in range(ROUNDS):
        labels = np.argmax(vectors @ centres.T, axis=1)
        moved = centres.copy()
        for k in range(len(centres)):
            if np.any(labels == k):
                moved[k] = vectors[labels == k].sum(axis=0)
        moved = _unit(moved)
        if np.allclose(moved, centres, atol=1e-5):
            break
        centres = moved
    return centres


def _means(vectors: F32, labels: Labels) -> F32:
    return _unit(np.array([vectors[labels == k].sum(axis=0) for k in np.unique(labels)], np.float32))


def _unit(rows: F32) -> F32:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: F32 = (rows / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit
