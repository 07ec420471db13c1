"""When a delivery is tried again: the table of the Standard Webhooks specification, with jitter."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# After the first, second, ... try: ten tries in three days and three and a half hours.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.1  # of the pause, more or less: deliveries that failed together do not come back together
LONGEST_WISH = timedelta(hours=24)


def pause_after(
    tries: int, wish: timedelta | None = None, *, uniform: Callable[[float, float], float] = random.uniform
) -> timedelta | None:
    """How long to wait after the `tries`th failure; None: that was the last one.

    `wish` is the receiver's Retry-After, honoured where it is longer, up to a day.
    """
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1] * uniform(1 - JITTER, 1 + JITTER)
    return pause if wish is None else max(pause, min(wish, LONGEST_WISH))


def read_wish(retry_after: str | None, now: datetime) -> timedelta | None:
    """Retry-After: seconds or a date (RFC 9110, 10.2.3); None for what is neither."""
    text = (retry_after or "").strip()
    if text.isdecimal() and text.isascii():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WISH)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta())
