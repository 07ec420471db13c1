"""What physics allows one core of this machine for a window: its arithmetic and its memory at their measured peak.

The encoder and the keys and values of the decoder's cross attention cost a known number of operations; every decoded
token has to read the decoder's weights once. Both run at best as fast as a large matrix product and a long read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Self

FRAMES, MEL_FRAMES, MELS, VOCABULARY = 1500, 3000, 80, 51_865
Q8_0_BYTES = 34 / 32  # a weight
_MEASURE = """
import json, time
import numpy as np
a = np.random.default_rng(0).standard_normal((1536, 1536), np.float32)
b = a.T.copy()
x = np.ones(64 << 20, np.float32)
a @ b; x.dot(x)
def best(work, times):
    taken = []
    for _ in range(times):
        began = time.perf_counter(); work(); taken.append(time.perf_counter() - began)
    return min(taken)
print(json.dumps([2 * 1536**3 / best(lambda: a @ b, 12) / 1e9, x.nbytes / best(lambda: x.dot(x), 8) / 1e9]))
"""


@dataclass(frozen=True, slots=True)
class Peak:
    """GFLOP/s of a float32 matrix product and GB/s of a read, of one core."""

    gflops: float
    gigabytes: float

    @classmethod
    def measure(cls) -> Self:
        """The best of some tries, in a process with one thread."""
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        answer = subprocess.run(
            [sys.executable, "-c", _MEASURE], env=environment, capture_output=True, text=True, check=True
        )
        return cls(*json.loads(answer.stdout))

    def better(self, other: Peak) -> Peak:
        """The higher of both: what others took from one try, the other may have had."""
        return Peak(max(self.gflops, other.gflops), max(self.gigabytes, other.gigabytes))

    def seconds(self, width: int, layers: int, tokens: int) -> float:
        """The floor of one window."""
        return (
            encoder_gflop(width, layers) / self.gflops
            + tokens * token_bytes(width, layers) / 1e9 / self.gigabytes
        )


def encoder_gflop(width: int, layers: int) -> float:
    """Of one window, with the cross attention's keys and values: 96.8 for base."""
    convolutions = 2 * MEL_FRAMES * 3 * MELS * width + 2 * FRAMES * 3 * width * width
    layer = 24 * FRAMES * width * width + 4 * FRAMES * FRAMES * width  # projections and MLP, attention
    cross = 4 * FRAMES * width * width
    return (convolutions + layers * (layer + cross)) / 1e9


def token_bytes(width: int, layers: int) -> float:
    """Weights that one decoded token reads, in q8_0: 52 MB for base."""
    return (layers * 14 * width * width + VOCABULARY * width) * Q8_0_BYTES
