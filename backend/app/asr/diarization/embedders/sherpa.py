"""Voices by a neural network: sherpa-onnx (the extra `speakers`) with a model of the catalogue, one thread on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.asr.diarization.embedders.base import RATE, Likeness, Samples, Vector
from app.core.errors import JobError


class Sherpa:
    """sherpa_onnx.SpeakerEmbeddingExtractor behind the port."""

    # For windows of 1.5 s. Published figures of x-vector-like models put one voice near 0.5-0.7 and two near 0-0.3;
    # not measured here on the real models.
    likeness = Likeness(same=0.5, different=0.2)

    def __init__(self, extractor: Any) -> None:
        self._extractor = extractor

    def embed(self, samples: Samples) -> Vector | None:
        """The model's vector, made to length 1."""
        stream = self._extractor.create_stream()
        stream.accept_waveform(sample_rate=RATE, waveform=np.ascontiguousarray(samples, np.float32))
        stream.input_finished()
        if not self._extractor.is_ready(stream):
            return None
        vector = np.asarray(self._extractor.compute(stream), np.float32)
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length == 0:
            return None
        return vector / np.float32(length)


def create(model: str | None) -> Sherpa:
    """Loads the model. sherpa-onnx ends the process on a file that is no model, which the parent sees."""
    if model is None:
        raise JobError("diarization_failed", "No model that tells voices apart was given.")
    try:
        import sherpa_onnx
    except ImportError as error:
        raise JobError("diarization_failed", f"sherpa-onnx cannot be loaded here ({error}).") from error
    config = sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=model, num_threads=1, provider="cpu")
    return Sherpa(sherpa_onnx.SpeakerEmbeddingExtractor(config))
