"""Counts of requests in moving windows: in memory, or in Redis where several servers share them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from limits import RateLimitItem, parse_many
from limits.aio.storage import MovingWindowSupport, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from app.core.logging import get_logger

log = get_logger(__name__)

_MAX_KEYS = 20_000
_COMPLAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of the windows that were counted in, the one with the least left.

    `reset_seconds` until there is room again (or one more than now); `limit` requests in `window_seconds`.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: float
    window_seconds: int


Rule = tuple[RateLimitItem, ...]
Rules = Mapping[str, Rule]


def read_rule(text: str) -> Rule:
    """ "10/minute;100/day" as windows; none for an empty text. Raises ValueError."""
    return tuple(parse_many(text)) if text else ()


class MemoryCounts(Storage, MovingWindowSupport):
    """The library's own memory looks through all keys at each request; this one forgets as it goes.

    At most 20,000 keys; then those that were used longest ago go. Nothing here awaits, so no lock is needed.
    """

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._times: dict[str, deque[float]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        times = self._living(key, expiry)
        if len(self._times) > _MAX_KEYS:
            del self._times[next(iter(self._times))]
        if len(times) + amount > limit:
            return False
        times.extend([time.monotonic()] * amount)
        return True

    async def get_moving_window(
        self,
        key: str,
        limit: int,  # noqa: ARG002 (the library's signature)
        expiry: int,
    ) -> tuple[float, int]:
        """The oldest entry that counts, on the wall clock, as the library's callers expect it."""
        times = self._living(key, expiry)
        oldest = times[0] - time.monotonic() if times else 0.0
        return time.time() + oldest, len(times)

    def _living(self, key: str, expiry: int) -> deque[float]:
        times = self._times.pop(key, None)
        times = deque() if times is None else times
        self._times[key] = times  # to the end: what was used longest ago is forgotten first
        before = time.monotonic() - expiry
        while times and times[0] <= before:
            times.popleft()
        return times

    async def clear(self, key: str) -> None:
        self._times.pop(key, None)

    async def reset(self) -> int:
        gone = len(self._times)
        self._times.clear()
        return gone

    async def check(self) -> bool:
        return True

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError("moving windows only")

    async def get(self, key: str) -> int:
        return len(self._times.get(key, ()))

    async def get_expiry(self, key: str) -> float:
        raise NotImplementedError("moving windows only")


class SharedCounts(Protocol):
    """Where several servers count together."""

    @property
    def limiter(self) -> MovingWindowRateLimiter: ...

    async def close(self) -> None: ...


class RateCounter:
    """Counts under names ("submissions", "auth") what `rules` allow.

    While Redis is away each server counts in its own memory: neither is the door open, nor does anybody stand before
    a closed one.
    """

    def __init__(
        self, rules: Rules, *, shared: SharedCounts | None = None, local: Collection[str] = ()
    ) -> None:
        """Rules in `local` are counted in this server alone, which saves a round trip."""
        self._rules, self._local = rules, local
        self._memory = MovingWindowRateLimiter(MemoryCounts())
        self._shared = shared
        self._complained = -_COMPLAIN_SECONDS

    async def count(self, entries: Sequence[tuple[str, str]]) -> Verdict | None:
        """One more request under each (name of a rule, who): stops at the first that is full.

        None where no rule says anything.
        """
        tightest: Verdict | None = None
        for name, who in entries:
            for item in self._rules.get(name, ()):
                verdict = await self._count(item, name, who)
                if not verdict.allowed:
                    return verdict
                if tightest is None or verdict.remaining < tightest.remaining:
                    tightest = verdict
        return tightest

    async def close(self) -> None:
        if self._shared is not None:
            await self._shared.close()

    async def _count(self, item: RateLimitItem, name: str, who: str) -> Verdict:
        if self._shared is not None and name not in self._local:
            try:
                return await _hit(self._shared.limiter, item, name, who)
            except (StorageError, OSError) as error:
                self._complain(error)
        return await _hit(self._memory, item, name, who)

    def _complain(self, error: Exception) -> None:
        now = time.monotonic()
        if now - self._complained >= _COMPLAIN_SECONDS:
            self._complained = now
            log.warning("rate_limits_in_memory", error=repr(error)[:200])


async def _hit(limiter: MovingWindowRateLimiter, item: RateLimitItem, name: str, who: str) -> Verdict:
    allowed = await limiter.hit(item, name, who)
    stats = await limiter.get_window_stats(item, name, who)
    return Verdict(
        allowed=allowed,
        limit=item.amount,
        remaining=max(0, stats.remaining) if allowed else 0,
        reset_seconds=max(0.0, stats.reset_time - time.time()),
        window_seconds=item.get_expiry(),
    )
