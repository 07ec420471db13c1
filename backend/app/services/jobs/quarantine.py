"""What people are told of a job that was set aside: where, the last words of what broke, and what to do about it."""

from __future__ import annotations

import re
from typing import Any

MAX_TAIL = 2000
_FOLDERS = re.compile(r"(?:/[\w.@+~-]+)+/(?=[\w.@+~-])")  # of this server: no business of a tenant's
_CONTROL = re.compile(r"[^\t\n\x20-\x7e\xa0-\U0010ffff]")


def error_detail(window: int | None, log_tail: str, advice: str) -> dict[str, Any]:
    """`Job.error_detail`: window (from 0, as in events), log_tail (at most MAX_TAIL characters), advice."""
    told = {"window": window, "log_tail": clean_tail(log_tail) or None, "advice": advice or None}
    return {name: value for name, value in told.items() if value is not None}


def clean_tail(text: str) -> str:
    """The end of a log as it may be shown: whole lines, without control characters and without this server's folders."""
    text = _FOLDERS.sub("", _CONTROL.sub("", text.replace("\r", "\n"))).strip()
    if len(text) <= MAX_TAIL:
        return text
    return text[-MAX_TAIL:].partition("\n")[2] or text[-MAX_TAIL:]
