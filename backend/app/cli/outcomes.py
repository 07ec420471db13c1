"""What became of one file of a batch, for people and for scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from app.core.errors import AppError, JobError
from app.services.transcripts.render import clock

MAX_PLACES = 10
INPUT, ENGINE = 3, 4  # exit codes

# Codes of docs/api.md that say something about the file; all others are the engine's.
INPUT_CODES = frozenset(
    {
        "unsupported_media",
        "no_audio_stream",
        "media_invalid",
        "audio_invalid",
        "audio_too_short",
        "duration_limit",
        "file_empty",
        "file_too_large",
        "validation_error",
    }
)
_LINK_CODES = "fetch_"  # how the codes of links begin that nothing came from


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, or of a link. `code` is its exit code, `head` the result without its text; `doubts` are
    the doubtful passages as (start_ms, flags)."""

    path: Path | str
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
    def name(self) -> str:
        """What it is called in messages."""
        return self.path.name if isinstance(self.path, Path) else self.path

    @property
    def places(self) -> str:
        """Where to listen: 00:01:05 (loop), the first MAX_PLACES of them."""
        places = [
            f"{clock(start, '.')[:8]} ({', '.join(flags)})" for start, flags in self.doubts[:MAX_PLACES]
        ]
        more = len(self.doubts) - MAX_PLACES
        return ", ".join(places) + (f" and {more} more" if more > 0 else "")


def failed(path: Path | str, error: Exception) -> Outcome:
    """What is wrong with a file or a link; everything unknown is a bug of ours, which must not cost the others."""
    if isinstance(error, AppError):
        of_the_input = (
            error.code in INPUT_CODES or error.code.startswith(_LINK_CODES) or not isinstance(error, JobError)
        )
        code, what = INPUT if of_the_input else ENGINE, (error.code, error.message)
    elif isinstance(error, OSError):
        code, what = INPUT, ("unreadable", f"{error.strerror or error}")
    else:
        code, what = ENGINE, ("internal_error", f"{type(error).__name__}: {error}")
    return Outcome(path, "failed", code, error=what)
