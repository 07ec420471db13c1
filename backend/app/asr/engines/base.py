"""What an engine is: declared facts, a model loaded once, and windows turned into segments."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.asr.types import EngineSpec, Window, WindowOptions, WindowResult

RATE = 16_000
Samples = npt.NDArray[np.float32]


class Engine(Protocol):
    """One loaded engine in one process. Not safe for threads."""

    def load(self, spec: EngineSpec) -> None:
        """Gets ready; called once. Raises JobError `model_invalid`, `engine_failed`."""

    def transcribe(self, samples: Samples, window: Window, options: WindowOptions) -> WindowResult:
        """Segments with absolute times. `samples` is contiguous float32 in -1..1, shape (n,); everything else that
        the call depends on is in `options`. Raises JobError `engine_failed`."""
