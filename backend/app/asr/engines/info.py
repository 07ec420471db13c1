"""What an engine declares about itself; imported by the server, so it knows no heavy library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
