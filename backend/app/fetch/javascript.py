"""The JavaScript runtime that some sites need, and the version of yt-dlp: what the status page shows."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

# As yt-dlp 2026.10 asks for them; the first that is there is used.
_RUNTIMES = (("deno", (2, 3)), ("node", (22, 0)), ("bun", (1, 2)))


@dataclass(frozen=True, slots=True)
class Runtime:
    """`name` as yt-dlp calls it."""

    name: str
    path: str
    version: str


@lru_cache(maxsize=1)
def find_runtime() -> Runtime | None:
    """Beside this interpreter, then on PATH; None where none is new enough."""
    beside = str(Path(sys.executable).parent)
    for name, floor in _RUNTIMES:
        path = shutil.which(name, path=beside) or shutil.which(name)
        version = _version(path) if path else None
        if path and version and tuple(map(int, version.split(".")[:2])) >= floor:
            return Runtime(name, path, version)
    return None


def _version(path: str) -> str | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\d+\.\d+(\.\d+)?", said.stdout)
    return found[0] if found else None


def library_version(folder: Path | None = None) -> str | None:
    """Of yt-dlp as it is installed, or in a folder of its own."""
    try:
        if folder is None:
            return importlib.metadata.version("yt-dlp")
        found = next(iter(importlib.metadata.distributions(name="yt-dlp", path=[str(folder)])), None)
        return found.version if found else None
    except importlib.metadata.PackageNotFoundError:
        return None


def newer_library(folder: Path) -> Path | None:
    """`folder` where it holds a yt-dlp that is newer than the installed one."""
    here, there = library_version(), library_version(folder)
    if there is None or (here is not None and _order(there) <= _order(here)):
        return None
    return folder


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
