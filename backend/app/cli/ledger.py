"""What has been made of which recording: a file of JSON lines beside the texts, so that nothing is made twice.

Each line tells of one recording (`source`, relative to the folder, or its link): the `stem` of its texts, size, time and
SHA-256 of its bytes, the `key` of options and engine, and for each text when it was written, or the error it ended with.
The last line of a source counts. Lines that cannot be read are passed over.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NAME = ".transcribe.jsonl"


@dataclass(frozen=True, slots=True)
class Identity:
    """A recording's bytes: `size` and `mtime_ns` say cheaply that they are the same, `sha256` for sure."""

    size: int
    mtime_ns: int
    sha256: str = ""

    @classmethod
    def of(cls, path: Path) -> Identity:
        """Without the hash. Raises OSError."""
        facts = path.stat()
        return cls(facts.st_size, facts.st_mtime_ns)

    def looks_like(self, other: Identity) -> bool:
        """Size and time are the same."""
        return (self.size, self.mtime_ns) == (other.size, other.mtime_ns)


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of a recording; `texts` maps formats to the mtime_ns of what was written."""

    source: str
    stem: str
    identity: Identity
    key: str = ""
    texts: dict[str, int] = field(default_factory=dict)
    error: tuple[str, str] | None = None


class Ledger:
    """The lines of one folder. Another process may add lines at the same time; they are seen at the next start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: dict[str, Entry] = {}
        self._stems: dict[str, str] = {}
        with contextlib.suppress(OSError):
            for line in (folder / NAME).read_bytes().splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    self._put(_from_json(json.loads(line)))

    def entry(self, path: Path | str) -> Entry | None:
        """What is known of a recording."""
        return self._entries.get(self.name_of(path))

    def owner(self, stem: str) -> str | None:
        """The source whose texts have this stem, whatever its case."""
        return self._stems.get(stem.casefold())

    def name_of(self, path: Path | str) -> str:
        """How a recording is called here: relative, so that both may move together. A link is its own name."""
        if isinstance(path, str):
            return path
        try:
            return Path(os.path.relpath(path.absolute(), self.folder.absolute())).as_posix()
        except ValueError:  # another drive
            return str(path.absolute())

    def record(self, entry: Entry) -> None:
        """Adds a line and makes it durable. Raises OSError."""
        self._put(entry)
        path = self.folder / NAME
        with path.open("ab") as file:
            if file.tell() and not _ends_whole(path):
                file.write(b"\n")  # a crash has cut the line before
            file.write(json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _put(self, entry: Entry) -> None:
        self._entries[entry.source] = entry
        self._stems[entry.stem.casefold()] = entry.source


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _from_json(data: dict[str, Any]) -> Entry:
    return Entry(
        source=data["source"],
        stem=data["stem"],
        identity=Identity(**data["identity"]),
        key=data["key"],
        texts=dict(data["texts"]),
        error=(data["error"][0], data["error"][1]) if data["error"] else None,
    )
