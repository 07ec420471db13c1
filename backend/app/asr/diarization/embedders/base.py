"""The port: a short piece of speech in, a point on the unit sphere out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

RATE = 16_000
Samples = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What cosines mean to one embedder, as the mean between all windows of two clusters.

    Clusters above `same` are one voice, below `different` two; in between the recording decides.
    """

    same: float
    different: float


class VoiceEmbedder(Protocol):
    """One loaded embedder in one process. Not safe for threads."""

    likeness: Likeness

    def embed(self, samples: Samples) -> Vector | None:
        """A vector of length 1 for 16 kHz mono float32 in -1..1; None where nothing can be told from them.

        Raises JobError `diarization_failed`.
        """
