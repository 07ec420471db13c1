"""How long one waits for somebody who is slow: a little at once, for as long as enough keeps coming."""

from __future__ import annotations

IDLE_SECONDS = 20.0
BYTES_PER_SECOND = 1024.0


class Patience:
    """`left` seconds. Waiting uses them up; each byte earns 1/`rate` s back, never more than there were at first.

    So silence ends after `idle` seconds, and whoever stays below `rate` bytes a second ends some time later.
    """

    def __init__(self, idle: float = IDLE_SECONDS, rate: float = BYTES_PER_SECOND) -> None:
        self._idle, self._rate = idle, rate
        self.left = idle

    def waited(self, seconds: float) -> None:
        self.left -= seconds

    def came(self, count: int) -> None:
        self.left = min(self._idle, self.left + count / self._rate)
