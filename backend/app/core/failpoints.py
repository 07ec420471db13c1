"""Named moments at which a test may end the process, as `kill -9` would: FAILPOINTS, with ENV=test only.

Nothing happens at them unless one is armed, and nobody arms one but `app.factory` from the settings.
"""

from __future__ import annotations

import os
import signal

from app.core.errors import ConfigurationError

# before: all that comes is lost. after: it is committed, and nobody has been told.
NAMES = frozenset(
    {
        "claim.before",
        "claim.after",
        "window.before",
        "window.after",
        "finalize.before",
        "finalize.after",
        "outbox.before",
        "outbox.after",
        "mail.before",
        "mail.after",
        "seal.before",
        "seal.between",  # the bytes are in their place, their row is not
        "seal.after",
    }
)

_armed: dict[str, int] = {}


def arm(points: tuple[str, ...], *, allowed: bool) -> None:
    """`name`, or `name:n` for the n-th time it is reached. Raises `ConfigurationError`."""
    if points and not allowed:
        raise ConfigurationError(
            "FAILPOINTS ends the server in the middle of its work: it is for ENV=test only."
        )
    wanted = {}
    for point in points:
        name, _, count = point.partition(":")
        if name not in NAMES or not (count or "1").isdecimal():
            raise ConfigurationError(
                f"FAILPOINTS: there is no {point}. There are {', '.join(sorted(NAMES))}."
            )
        wanted[name] = int(count or 1)
    _armed.clear()
    _armed.update(wanted)


def reached(name: str) -> None:
    """Here. Ends the process where this is armed."""
    if name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
