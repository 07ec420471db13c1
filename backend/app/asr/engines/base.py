"""What an engine is: declared facts, a model loaded once, and windows turned into segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from app.asr.types import EngineSpec, Window, WindowResult

RATE = 16_000
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Capabilities. `languages` are codes, or "any"; `module` is imported in the engine process only.

    `package` is the import name that must be installed, None where nothing is needed. `in_pool` says that it works
    on windows in the pool of processes.
    """

    name: str
    module: str
    package: str | None
    needs_model: bool
    languages: Literal["any"] | tuple[str, ...]
    words: bool
    low_accuracy: bool = False
    in_pool: bool = True

    def speaks(self, language: str) -> bool:
        """Whether a job in this language ("auto" included) can go to the engine."""
        return self.languages == "any" or language == "auto" or language in self.languages


class Engine(Protocol):
    """One loaded engine in one process. Not safe for threads."""

    def load(self, spec: EngineSpec) -> None:
        """Gets ready; called once. Raises JobError `model_invalid`, `engine_failed`."""

    def transcribe(self, samples: Samples, window: Window, language: str | None) -> WindowResult:
        """Segments with absolute times. `samples` is contiguous float32 in -1..1, shape (n,); `language` None
        means: find out. Raises JobError `engine_failed`."""
