"""Counts attempts in memory: enough to make guessing hopeless, gone with the process."""

from __future__ import annotations

import math
import time

from app.core.errors import RateLimitedError

_MAX_KEYS = 20_000


class Guesses:
    """At most `limit` attempts under one key in `seconds`; refused attempts do not lengthen the pause."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit, self._seconds = limit, seconds
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, key: str) -> None:
        """One more attempt. Raises `RateLimitedError` with the seconds that are left."""
        now = time.monotonic()
        began, made = self._windows.get(key, (now, 0))
        if now - began >= self._seconds:
            began, made = now, 0
        if made >= self._limit:
            left = math.ceil(began + self._seconds - now)
            raise RateLimitedError("Too many attempts. Wait before the next one.", retry_after=max(1, left))
        self._windows.pop(key, None)  # to the end: the oldest are forgotten first
        self._windows[key] = (began, made + 1)
        if len(self._windows) > _MAX_KEYS:
            del self._windows[next(iter(self._windows))]
