"""What turns a second of a voice into numbers: one port, the table of its forms."""

from __future__ import annotations

import importlib

from app.asr.diarization.embedders.base import VoiceEmbedder
from app.asr.diarization.types import SHERPA, SPECTRAL, Embedder
from app.core.errors import JobError

_MODULES = {
    SHERPA: "app.asr.diarization.embedders.sherpa",
    SPECTRAL: "app.asr.diarization.embedders.spectral",
}


def create(embedder: Embedder) -> VoiceEmbedder:
    """A new embedder with its model loaded. For the child process and tests.

    Raises JobError `diarization_failed`.
    """
    module = _MODULES.get(embedder.kind)
    if module is None:
        raise JobError(
            "diarization_failed", f"There is no way of telling voices apart called {embedder.kind}."
        )
    made: VoiceEmbedder = importlib.import_module(module).create(embedder.model)
    return made


__all__ = ["VoiceEmbedder", "create"]
