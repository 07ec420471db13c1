"""Byte ranges (RFC 9110, section 14), one at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class UnsatisfiableRangeError(Exception):
    """The range lies outside of the object: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """`start` and `length` in bytes; `partial` where it was asked for."""

    start: int
    length: int
    partial: bool


def select_range(header: str | None, if_range: str | None, *, size: int, etag: str) -> ByteRange:
    """What to send. Several ranges at once, other units and a stale `If-Range` give the whole object, as the RFC
    allows. `etag` with its quotes. Raises `UnsatisfiableRangeError`.
    """
    whole = ByteRange(0, size, False)
    match = _RANGE.fullmatch(header or "")
    if match is None or (if_range is not None and if_range.strip() != etag):
        return whole
    first, last = match[1], match[2]
    if not first and not last:
        return whole
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise UnsatisfiableRangeError
        return ByteRange(size - length, length, True)
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return whole
    if start >= size:
        raise UnsatisfiableRangeError
    return ByteRange(start, end - start + 1, True)
