"""What turns a second of a voice into a vector: the port, and sherpa-onnx (the extra `speakers`) behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from app.core.errors import JobError

RATE = 16_000
F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What cosines mean to an embedder, as the mean between all windows of two clusters.

    Clusters above `same` are one voice, below `different` two; in between the recording decides.
    """

    same: float
    different: float


class VoiceEmbedder(Protocol):
    """One loaded embedder in one process. Not safe for threads."""

    @property
    def likeness(self) -> Likeness: ...

    def embed(self, samples: F32) -> F32 | None:
        """A vector of length 1 for 16 kHz mono float32 in -1..1, shape (n,); None where nothing can be told."""


class Sherpa:
    """sherpa_onnx.SpeakerEmbeddingExtractor on the CPU, with one thread."""

    # For windows of 1.5 s. Models of this kind are reported to put one voice near 0.5 to 0.7 and two near 0 to 0.3;
    # on the published weights it has not been measured by this project.
    likeness = Likeness(same=0.5, different=0.2)

    def __init__(self, extractor: Any) -> None:
        self._extractor = extractor

    def embed(self, samples: F32) -> F32 | None:
        """The model's vector, made to length 1."""
        stream = self._extractor.create_stream()
        stream.accept_waveform(sample_rate=RATE, waveform=np.ascontiguousarray(samples, np.float32))
        stream.input_finished()
        if not self._extractor.is_ready(stream):
            return None
        vector = np.asarray(self._extractor.compute(stream), np.float32)
        length = np.linalg.norm(vector)
        if not np.isfinite(length) or length == 0:
            return None
        unit: F32 = vector / length
        return unit


def load(model: str) -> Sherpa:
    """Loads the model at a path. Raises JobError `diarization_failed`; on some files that are no model sherpa-onnx
    ends the process instead, which the parent sees."""
    try:
        import sherpa_onnx
    except ImportError as error:
        raise JobError(
            "diarization_failed", "sherpa-onnx cannot be loaded on this server: install it again."
        ) from error
    config = sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=model, num_threads=1, provider="cpu")
    try:
        return Sherpa(sherpa_onnx.SpeakerEmbeddingExtractor(config))
    except (RuntimeError, ValueError) as error:
        raise JobError(
            "diarization_failed",
            "The model of voices cannot be loaded: it is damaged or none. Check it with `transcribe models verify`.",
        ) from error
