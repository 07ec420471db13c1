"""What an engine declares about itself; imported by the server, so it knows no heavy library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.asr.types import AUTO, MIXED


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Capabilities. `languages` are codes, or "any"; `module` is imported where the engine runs only.

    `package` is the import name that must be installed, None where nothing is needed. `runs` says where the work
    is done: window by window in the `pool` of processes, at a provider over the `network`, or `nowhere` (the stub).
    `missing` is the reason, and the remedy, that is given where it is not installed; `system` is the only
    `sys.platform` it was made for.
    `words`, `speakers` and `translates` say what its text has; `max_seconds` is the longest stretch it takes at once.
    """

    name: str
    module: str
    package: str | None
    needs_model: bool
    languages: Literal["any"] | tuple[str, ...]
    words: bool
    low_accuracy: bool = False
    runs: Literal["pool", "network", "nowhere"] = "pool"
    speakers: bool = False
    translates: bool = False
    max_seconds: int = 30
    missing: str = "not installed on this machine"
    system: str | None = None

    @property
    def in_pool(self) -> bool:
        """Whether it works on windows in the pool of processes."""
        return self.runs == "pool"

    @property
    def needs_network(self) -> bool:
        """Whether the recording leaves this machine."""
        return self.runs == "network"

    def speaks(self, language: str) -> bool:
        """Whether a job in this language ("auto" included) can go to the engine."""
        return self.languages == "any" or language in (AUTO, MIXED) or language in self.languages
