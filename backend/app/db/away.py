"""Whether the database is away for now: lost connections, refused ones, transactions that it gave up for the sake of
another or for their length, and a disk that is full, as opposed to statements that are wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import AppError, UnavailableError
from app.core.logging import get_logger

log = get_logger(__name__)

T = TypeVar("T")

LONGEST_PAUSE_SECONDS = 2.0
CONNECT_SECONDS = 5.0
# Connection exceptions; the server stops, has crashed, or is starting; it has no connection left for us; of two
# transactions that waited for each other it gave up this one.
_STATES = ("08", "57P01", "57P02", "57P03", "53300", "40P01", "40001")
_DISK_FULL = "53100"
_GIVEN_UP = "57014"  # `statement_timeout`
_SQLITE = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_IOERR",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
)


class DatabaseAwayError(UnavailableError):
    """No connection can be had."""

    def __init__(self) -> None:
        super().__init__("The database does not answer. Try again in a moment.")


class DatabaseFullError(AppError):
    """It answers, and has no room for what would be written; nothing of it was."""

    status, code = 507, "storage_full"

    def __init__(self) -> None:
        super().__init__(
            "The disk of this server's database is full, so that nothing was changed. "
            "Ask its operator to make space there, then try again."
        )


class DatabaseSlowError(UnavailableError):
    """It gave up a statement that took longer than it may; the transaction is undone."""

    def __init__(self) -> None:
        super().__init__(
            "The database took too long over this, so it was given up and nothing was changed. "
            "Try again in a moment, or ask for less at a time."
        )


def is_slow(error: BaseException) -> bool:
    """Whether Postgres gave a statement up for its length."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _GIVEN_UP


def is_full(error: BaseException) -> bool:
    """Whether the disk beneath the database has no room: somebody has to make some."""
    if isinstance(error, DatabaseFullError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if str(getattr(error.orig, "sqlite_errorname", None)).startswith("SQLITE_FULL"):
        return True
    return getattr(error.orig, "sqlstate", None) == _DISK_FULL


def is_away(error: BaseException) -> bool:
    """Whether the same work may succeed once the database is back, or has room again."""
    if isinstance(error, DatabaseAwayError | PoolTimeoutError) or is_full(error) or is_slow(error):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    sqlite = getattr(error.orig, "sqlite_errorname", None)
    if sqlite is not None:
        return str(sqlite).startswith(_SQLITE)
    if isinstance(getattr(error.orig, "__cause__", None), ValueError):
        return False  # the driver calls a value that does not fit a fault of the interface
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return isinstance(error, InterfaceError | OperationalError) or state.startswith(_STATES)


async def when_back(work: Callable[[], Awaitable[T]], *, what: str) -> T:
    """What `work` answers, begun again as long as the database is away; `what` is for the log.

    The outcome of a commit whose connection broke is not known: `work` has to look before it does something twice.
    """
    delay = 0.1
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("waits_for_database", what=what, error=str(error)[:200])
        await asyncio.sleep(delay)
        delay = min(delay * 2, LONGEST_PAUSE_SECONDS)


def name_refusals(engine: AsyncEngine) -> None:
    """A connection that cannot be made raises `DatabaseAwayError`.

    The driver raises whatever the system said (a missing socket is FileNotFoundError, a server that is starting an
    error of its own), none of which anybody could tell from a fault of ours.
    """
    import asyncpg

    refused = (
        OSError,  # TimeoutError is one
        asyncpg.PostgresConnectionError,
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
        asyncpg.AdminShutdownError,
        asyncpg.CrashShutdownError,
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def _connect(dialect: sa.Dialect, _record: Any, args: Any, options: Any) -> Any:
        try:
            return dialect.connect(*args, **options)
        except refused as error:
            raise DatabaseAwayError from error
