"""Slows down who guesses: each failed sign-in of an account from one address counts, and so do all of an account.

Nobody is locked out for good: after so many failures each next try has to wait longer, at most a quarter of an hour.
Accounts that do not exist are counted alike, so that nothing tells them apart. Rows hold hashes, no addresses.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.clock import utcnow
from app.core.errors import RateLimitedError
from app.db.session import Database, SystemSession
from app.models.credentials import LoginThrottle
from app.services import audit

MAX_PAUSE = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=24)
ACCOUNT_FAILURES = 100  # from all addresses together (NIST SP 800-63B, 5.2.2)


class Throttle:
    """`failures` of one account from one address are free."""

    def __init__(self, database: Database, *, failures: int) -> None:
        self._database = database
        self._free = {"pair": failures, "account": max(failures, ACCOUNT_FAILURES)}

    async def check(self, email: str, address: str) -> None:
        """Raises `RateLimitedError` while this account, known or not, has to pause."""
        keys = _keys(email, address)
        async with self._database.system(read_only=True) as session:
            rows = await session.execute(
                sa.select(LoginThrottle.blocked_until).where(LoginThrottle.key.in_(keys.values()))
            )
            until = max((row.blocked_until for row in rows if row.blocked_until), default=None)
        now = utcnow()
        if until is not None and until > now:
            raise RateLimitedError(
                "Too many failed sign-ins. Wait before the next try, or reset the password.",
                retry_after=math.ceil((until - now).total_seconds()),
            )

    async def failed(self, email: str, address: str, *, user_id: UUID | None = None) -> None:
        """One more failure, written down with it; `user_id` where the account is known."""
        async with self._database.system() as session:
            audit.record(session, "session.refused", user_id=user_id)
        for kind, key in _keys(email, address).items():
            async with self._database.system() as session:
                row = await _row(session, key)
                now = utcnow()
                if now - row.updated_at > FORGET_AFTER:
                    row.failures = 0
                row.failures += 1
                row.updated_at = now
                row.blocked_until = _pause_until(now, row.failures - self._free[kind])

    async def passed(self, session: SystemSession, email: str, address: str) -> None:
        """A good sign-in forgets the failures before it."""
        keys = _keys(email, address)
        await session.execute(sa.delete(LoginThrottle).where(LoginThrottle.key.in_(keys.values())))

    async def forget(self, session: SystemSession, email: str) -> None:
        """After a password reset the account may be signed in to from everywhere but where it was guessed."""
        await session.execute(
            sa.delete(LoginThrottle).where(LoginThrottle.key == _keys(email, "")["account"])
        )

    async def purge(self) -> None:
        """Rows that nobody has touched for a day; for the sweeper."""
        async with self._database.system() as session:
            await session.execute(
                sa.delete(LoginThrottle).where(LoginThrottle.updated_at < utcnow() - FORGET_AFTER)
            )


def _pause_until(now: datetime, over: int) -> datetime | None:
    """1, 2, 4, ... seconds once the free failures are used up."""
    return now + min(MAX_PAUSE, timedelta(seconds=2 ** min(over, 10))) if over >= 0 else None


def _keys(email: str, address: str) -> dict[str, str]:
    account = email.strip().casefold()
    return {
        kind: hashlib.sha256(f"{kind}\n{text}".encode("utf-8", "replace")).hexdigest()
        for kind, text in (("pair", f"{account}\n{address}"), ("account", account))
    }


async def _row(session: SystemSession, key: str) -> LoginThrottle:
    found = await session.get(LoginThrottle, key, with_for_update=True)
    if found is None:
        try:
            async with session.begin_nested():
                session.add(LoginThrottle(key=key, failures=0))
        except IntegrityError:  # another failure was quicker
            pass
        found = await session.get_one(LoginThrottle, key, with_for_update=True)
    return found
