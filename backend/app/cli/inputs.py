"""What the words after `transcribe run` mean: links, files, folders and patterns, also where no shell has expanded
them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.services.media.names import content_type

# What names.content_type does not know, and FFmpeg reads.
_MORE = frozenset(
    {".ac3", ".ape", ".au", ".dts", ".eac3", ".f4v", ".gsm", ".mp2", ".ts", ".tta", ".w64", ".wv"}
)


@dataclass(frozen=True, slots=True)
class Source:
    """A recording. `below` is the folder under -o that its texts go to: where it lies under the folder asked for."""

    path: Path
    below: Path = Path()


@dataclass(frozen=True, slots=True)
class Link:
    """A recording on the web."""

    url: str


@dataclass(frozen=True, slots=True)
class Found:
    """The recordings, each once, in order; `nothing` names the words that match none."""

    sources: list[Source | Link]
    nothing: list[str]


def find_sources(words: Iterable[str], *, recursive: bool) -> Found:
    """Expands each word. A name that is there is taken as it is, even with brackets or stars in it."""
    sources: dict[Path | str, Source | Link] = {}
    nothing = []
    for word in words:
        if is_link(word):
            sources.setdefault(word, Link(word))
            continue
        found = list(_expand(word, recursive))
        if not found:
            nothing.append(word)
        for source in found:
            sources.setdefault(source.path.absolute(), source)
    return Found(list(sources.values()), nothing)


def is_link(word: str) -> bool:
    """Whether a word is the address of something on the web."""
    return word.lower().startswith(("http://", "https://"))


def recordings_in(folder: Path, *, recursive: bool) -> Iterator[Source]:
    """The media files of a folder in order of their names; hidden ones and links to folders are left alone."""
    try:
        with os.scandir(folder) as listing:  # tells folders from files without asking for each
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if recursive and not entry.is_symlink():
                for source in recordings_in(folder / entry.name, recursive=True):
                    yield Source(source.path, Path(entry.name) / source.below)
        elif is_media(entry.name):
            yield Source(folder / entry.name)


def is_media(name: str) -> bool:
    """Whether the name is that of a recording; files that are being copied or downloaded have other endings."""
    if _is_scratch(name):
        return False
    extension = name.rpartition(".")[2].lower()
    return extension in _MORE or content_type(None, name).startswith(("audio/", "video/"))


def _is_scratch(name: str) -> bool:
    """Hidden files, and the locks that office programs put beside an open one."""
    return name.startswith((".", "~$"))


def _expand(word: str, recursive: bool) -> Iterator[Source]:
    path = Path(word)
    if path.is_dir():
        yield from recordings_in(path, recursive=recursive)
    elif path.exists() or not glob.has_magic(word):
        yield Source(path)  # a file that is not there says so when its turn comes
    else:
        base = _fixed_part(path)
        named = path.suffix not in ("", ".*")
        for match in sorted(glob.glob(str(path.expanduser()), recursive=True)):  # noqa: PTH207 (one call for any base)
            found = Path(match)
            if found.is_file() and (is_media(found.name) or (named and not _is_scratch(found.name))):
                yield Source(found, _below(found, base))


def _fixed_part(pattern: Path) -> Path:
    """The folder that a pattern starts from: `talks` of `talks/**/*.mp3`."""
    fixed = []
    for part in pattern.expanduser().parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed)


def _below(found: Path, base: Path) -> Path:
    return found.parent.relative_to(base) if found.is_relative_to(base) else Path()
