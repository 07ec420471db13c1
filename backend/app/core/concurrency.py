"""How many of something one person may hold at the same time, in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from app.core.errors import RateLimitedError


class ConcurrencyLimit:
    """At most `limit` held under each name; 0 allows any number."""

    def __init__(self, limit: int, *, what: str) -> None:
        """`what` is in the sentence of the error: "live connections"."""
        self._limit, self._what = limit, what
        self._held: Counter[Hashable] = Counter()

    @contextmanager
    def hold(self, who: Hashable) -> Iterator[None]:
        """One more while inside. Raises `RateLimitedError` where `who` holds all they may."""
        if self._limit and self._held[who] >= self._limit:
            raise RateLimitedError(
                f"You have {self._limit} {self._what} open, which is as many as this server allows. Close one first."
            )
        self._held[who] += 1
        try:
            yield
        finally:
            self._held[who] -= 1
            if not self._held[who]:
                del self._held[who]
