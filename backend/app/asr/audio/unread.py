"""How long what could not be decoded would have sounded, in recordings without a clock."""

from __future__ import annotations

import re

# Frames one after the other and nothing else: FFmpeg counts packets for a clock, so that damaged bytes, of which it
# makes a few large packets, would take next to no time and all that follows would be too early.
BARE = frozenset({"mp3", "aac", "ac3", "eac3", "dts", "loas"})
TAG = re.compile(rb"ID3[\x02-\x04]\x00.([\x00-\x7f]{4})|APETAGEX", re.DOTALL)


class UnreadBytes:
    """Counts bytes that were and were not decoded; both sound for as long each, as far as can be told.

    Tags with titles and pictures, as stand between joined files, never sounded.
    """

    def __init__(self) -> None:
        self._good_bytes = 0
        self._good_seconds = 0.0
        self._bad_bytes = 0
        self._tag_bytes = 0  # of a tag that goes on in the next packets

    def add_good(self, size: int, seconds: float) -> None:
        self._good_bytes += size
        self._good_seconds += seconds
        self._tag_bytes = 0

    def add_bad(self, data: bytes) -> None:
        size = len(data)
        tag = TAG.search(data)
        if tag is not None:
            length = tag[1]
            body = (
                size
                if length is None
                else 10 + (length[0] << 21 | length[1] << 14 | length[2] << 7 | length[3])
            )
            self._tag_bytes = tag.start() + body
        inside = min(size, self._tag_bytes)
        self._tag_bytes -= inside
        self._bad_bytes += size - inside

    def take_seconds(self) -> float:
        """How long the undecoded bytes since the last call would have sounded."""
        bad, self._bad_bytes = self._bad_bytes, 0
        if not bad or not self._good_bytes:
            return 0.0
        return bad * self._good_seconds / self._good_bytes
