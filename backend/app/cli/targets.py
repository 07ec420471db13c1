"""Where `transcribe run` writes: never over a text that is there, unless asked."""

from __future__ import annotations

from itertools import count
from pathlib import Path


class Targets:
    """Names below one folder. Two recordings of one name get `talk.txt` and `talk (2).txt`."""

    def __init__(self, folder: Path, *, overwrite: bool) -> None:
        self._folder = folder
        self._overwrite = overwrite
        self._written: set[Path] = set()

    def write(self, stem: str, extension: str, text: str) -> Path:
        """Write `text` whole or not at all; answers where."""
        target = self._free(stem, extension)
        part = target.with_name(target.name + ".part")
        part.write_text(text, encoding="utf-8")
        part.replace(target)
        self._written.add(target)
        return target

    def _free(self, stem: str, extension: str) -> Path:
        for number in count(1):
            name = f"{stem}.{extension}" if number == 1 else f"{stem} ({number}).{extension}"
            target = self._folder / name
            taken = target in self._written or (target.exists() and not self._overwrite)
            if not taken:
                return target
        raise AssertionError("count() does not end")
