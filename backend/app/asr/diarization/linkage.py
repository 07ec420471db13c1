"""Average-linkage clustering of unit vectors by cosine, exactly, in O(n²) time and memory for small n.

The nearest-neighbour chain (F. Murtagh, "A survey of recent advances in hierarchical clustering algorithms", 1983):
average linkage never brings a merged pair nearer to others, so reciprocal nearest neighbours may be merged in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Merge:
    """Clusters `a` and `b`, named by one point of each, become one; `likeness` is their mean cosine."""

    a: int
    b: int
    likeness: float


def merges(vectors: F32) -> list[Merge]:
    """The whole tree of n - 1 merges, most alike first. `vectors` are of length 1, shape (n, d)."""
    n = len(vectors)
    likeness = (vectors @ vectors.T).astype(np.float32)
    np.fill_diagonal(likeness, -np.inf)
    sizes = np.ones(n, np.float32)
    alive = np.ones(n, bool)
    found: list[Merge] = []
    chain: list[int] = []
    while len(found) < n - 1:
        if not chain:
            chain = [int(np.argmax(alive))]
        top = chain[-1]
        nearest = int(np.argmax(likeness[top]))
        if len(chain) > 1 and likeness[top, chain[-2]] >= likeness[top, nearest]:
            nearest = chain[-2]  # on a tie the chain turns back, else it could run in a circle
        if len(chain) < 2 or nearest != chain[-2]:
            chain.append(nearest)
            continue
        del chain[-2:]
        found.append(Merge(nearest, top, float(likeness[top, nearest])))
        both = sizes[nearest] + sizes[top]
        row = (likeness[nearest] * sizes[nearest] + likeness[top] * sizes[top]) / both
        likeness[nearest], likeness[:, nearest] = row, row
        likeness[nearest, nearest] = -np.inf
        likeness[top], likeness[:, top] = -np.inf, -np.inf
        sizes[nearest], alive[top] = both, False
    return sorted(found, key=lambda merge: -merge.likeness)


def heavy(n: int, tree: list[Merge], smallest: int) -> list[int]:
    """How many clusters of at least `smallest` points there are after 0, 1, ... n - 1 merges of the tree."""
    forest = _Forest(n)
    count = n if smallest <= 1 else 0
    counts = [count]
    for merge in tree:
        a, b = forest.sizes[forest.root(merge.a)], forest.sizes[forest.root(merge.b)]
        count += (a + b >= smallest) - (a >= smallest) - (b >= smallest)
        forest.merge(merge)
        counts.append(count)
    return counts


def labels(n: int, tree: list[Merge], made: int) -> Labels:
    """The clusters after the first `made` merges: for each point the name of its cluster, which is one of its points."""
    forest = _Forest(n)
    for merge in tree[:made]:
        forest.merge(merge)
    return np.array([forest.root(i) for i in range(n)], np.int64)


class _Forest:
    """Disjoint sets of points with their sizes."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))
        self.sizes = [1] * n

    def root(self, i: int) -> int:
        while self._parent[i] != i:
            self._parent[i] = self._parent[self._parent[i]]
            i = self._parent[i]
        return i

    def merge(self, merge: Merge) -> None:
        a, b = self.root(merge.a), self.root(merge.b)
        self._parent[b] = a
        self.sizes[a] += self.sizes[b]
