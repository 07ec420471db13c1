"""A circuit breaker for each provider: after failures in a row it is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

OPENS_AFTER = 5
PAUSE_SECONDS = 60.0


class CircuitBreaker:
    """Closed: all pass. Open, after `opens_after` failures in a row: none pass for `pause_seconds`. Then half open: one
    probe at a time passes; it closes the circuit or opens it for another pause. Belongs to one event loop.
    """

    def __init__(
        self,
        *,
        opens_after: int = OPENS_AFTER,
        pause_seconds: float = PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opens_after = opens_after
        self._pause = pause_seconds
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def retry_in(self) -> float | None:
        """Seconds until the provider is tried again; None while the circuit is closed or a probe may pass."""
        if self._opened_at is None:
            return None
        left = self._opened_at + self._pause - self._clock()
        return left if left > 0 else None

    def enter(self) -> bool:
        """Whether a request may go out now. Each True is followed by `succeeded`, `failed` or `left`."""
        if self._opened_at is None:
            return True
        if self.retry_in is not None or self._probing:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """The provider answered, be it with a refusal."""
        self._failures, self._opened_at, self._probing = 0, None, False

    def failed(self) -> None:
        """The provider did not answer, or only that it cannot."""
        self._failures += 1
        if self._probing or self._failures >= self._opens_after:
            self._opened_at = self._clock()
        self._probing = False

    def left(self) -> None:
        """Nothing was learned: the request was called off, or the provider asked for patience."""
        self._probing = False
