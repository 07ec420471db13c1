"""What is known of a model file's bytes: its SHA-256, noted beside it so that it need not be counted at each start."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.core.clock import to_json_time, utcnow

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Note:
    """The hash of a file (in hex) and when it was counted."""

    sha256: str
    at: datetime


def read(path: Path) -> Note | None:
    """The note that fits the file as it is now; None where there is none or the file has changed since."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        facts = path.stat()
        seen = json.loads(_beside(path).read_text("utf-8"))
        if (seen["bytes"], seen["mtime_ns"]) == (facts.st_size, facts.st_mtime_ns):
            return Note(str(seen["sha256"]), datetime.fromisoformat(seen["at"]))
    return None


def write(path: Path, sha256: str) -> None:
    """Note the hash of the file as it is now; a folder that cannot be written to costs a hash each start."""
    with contextlib.suppress(OSError):
        facts = path.stat()
        seen = {
            "sha256": sha256,
            "bytes": facts.st_size,
            "mtime_ns": facts.st_mtime_ns,
            "at": to_json_time(utcnow()),
        }
        _beside(path).write_text(json.dumps(seen), encoding="utf-8")


def forget(path: Path) -> None:
    """Remove the note of a file."""
    _beside(path).unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """In hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".ok")
