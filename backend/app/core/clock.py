"""Time and identifiers: the only two places where the program asks the world for something new."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def utcnow() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A UUIDv7: unique, and sorted by the time it was made."""
    return uuid7()


def to_json_time(value: datetime) -> str:
    """ISO 8601 in UTC with `Z` and milliseconds."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
