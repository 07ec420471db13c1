"""Whether a file was cut off, for the formats whose decoder does not notice: WAV and Ogg tell it in their own ways."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_MAX_PAGE = 65_307
_PAGE_HEAD = 27
# What programs write that cannot know the length beforehand: no claim at all.
_NO_CLAIM = frozenset({0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF})
_MAX_CHUNKS = 100


def wav_is_cut(path: Path) -> bool:
    """Whether the data chunk of a RIFF WAVE file claims more bytes than the file has."""
    with path.open("rb") as file:
        claim = _wav_claim(file)
        at = file.tell()
        size = file.seek(0, 2)
    return claim is not None and claim not in _NO_CLAIM and at + claim > size + 1  # +1: a missing pad byte


def _wav_claim(file: BinaryIO) -> int | None:
    """The size that the data chunk claims, with the file placed at its first byte."""
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None  # RF64 and the like keep the size elsewhere
    for _ in range(_MAX_CHUNKS):
        chunk = file.read(8)
        if len(chunk) < 8:
            return None
        size = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            return size
        file.seek(size + size % 2, 1)
    return None


def ogg_is_cut(path: Path) -> bool:
    """Whether the last page is not whole, or is not marked as the last of its stream (RFC 3533)."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 2 * _MAX_PAGE))
        tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) - at < _PAGE_HEAD:
        return True
    segments = tail[at + 26]
    table = tail[at + _PAGE_HEAD : at + _PAGE_HEAD + segments]
    if len(table) < segments or at + _PAGE_HEAD + segments + sum(table) > len(tail):
        return True
    end_of_stream = bool(tail[at + 5] & 4)
    return not end_of_stream
