"""What became of one file of a batch, for people and for scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from app.services.transcripts.render import clock

MAX_PLACES = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file. `code` is its exit code, `head` the result without its text; `doubts` are the doubtful
    passages as (start_ms, flags)."""

    path: Path
    status: Literal["done", "unchanged", "failed"]
    code: int = 0
    texts: tuple[Path, ...] = ()
    error: tuple[str, str] | None = None
    head: dict[str, Any] = field(default_factory=dict)
    doubts: tuple[tuple[int, tuple[str, ...]], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A line for scripts."""
        error = {"code": self.error[0], "message": self.error[1]} if self.error else None
        return {
            "file": str(self.path),
            "status": self.status,
            "texts": [str(path) for path in self.texts],
            "error": error,
            "doubtful": [{"start_ms": start, "flags": list(flags)} for start, flags in self.doubts],
            **self.head,
        }

    @property
    def places(self) -> str:
        """Where to listen: 00:01:05 (loop), the first MAX_PLACES of them."""
        places = [
            f"{clock(start, '.')[:8]} ({', '.join(flags)})" for start, flags in self.doubts[:MAX_PLACES]
        ]
        more = len(self.doubts) - MAX_PLACES
        return ", ".join(places) + (f" and {more} more" if more > 0 else "")
