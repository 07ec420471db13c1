"""Password hashes: argon2id only, in threads, never more at once than there are cores."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from passlib.context import CryptContext

from app.core.errors import RateLimitedError

T = TypeVar("T")

MAX_PASSWORD_BYTES = 1024

# The hash of a random password that nobody kept: unknown accounts cost the same time as known ones.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$nVOKUYqxFiLE+N/be0/JOQ$sC0Ka3aaAmjzXNYimf2uVuTgjQynbDti9yh11Z53kGU"


def normalize_password(password: str) -> str:
    """One form for the same characters (NFC), whichever keyboard typed them; nothing else is changed."""
    return unicodedata.normalize("NFC", password)


class Passwords:
    """Argon2id with OWASP's parameters (m=19456 KiB, t=2, p=1), about 20 ms each.

    At most `workers` hashes at once and `waiting` behind them; beyond that `RateLimitedError`, so that a flood of
    sign-ins cannot take the machine.
    """

    def __init__(self, *, workers: int | None = None, waiting: int = 64) -> None:
        workers = workers or os.cpu_count() or 1
        self._limit = workers + waiting
        self._pending = 0
        self._limiter = CapacityLimiter(workers)
        self._context = CryptContext(
            schemes=["argon2"],
            argon2__type="ID",
            argon2__memory_cost=19456,
            argon2__time_cost=2,
            argon2__parallelism=1,
        )

    async def hash(self, password: str) -> str:
        """Callers check the length first: see `MAX_PASSWORD_BYTES`."""
        text = normalize_password(password)
        return await self._run(lambda: str(self._context.hash(text)))

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether the password fits, and a new hash where the stored one has old parameters.

        `stored=None` (no such account) takes as long as a wrong password and is never right.
        """
        text = normalize_password(password)
        too_long = len(text.encode("utf-8", "replace")) > MAX_PASSWORD_BYTES
        if too_long or stored is None:
            text, stored, possible = "", _NOBODY, False
        else:
            possible = True
        fits, renewed = await self._run(lambda: self._context.verify_and_update(text, stored))
        return bool(fits) and possible, renewed if fits and possible else None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._pending >= self._limit:
            raise RateLimitedError("Too many sign-ins at once. Try again in a moment.", retry_after=2)
        self._pending += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._pending -= 1
