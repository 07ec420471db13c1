"""Whether an Ogg file was cut: its pages carry their own length, the format no total (RFC 3533)."""

from __future__ import annotations

from pathlib import Path

_MAX_PAGE = 65_307
_HEAD = 27


def ends_inside_a_page(path: Path) -> bool:
    """Whether the last page of the file is not whole, or is not marked as the last of its stream."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 2 * _MAX_PAGE))
        tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) - at < _HEAD:
        return True
    segments = tail[at + 26]
    table = tail[at + _HEAD : at + _HEAD + segments]
    if len(table) < segments or at + _HEAD + segments + sum(table) > len(tail):
        return True
    end_of_stream = bool(tail[at + 5] & 4)
    return not end_of_stream
