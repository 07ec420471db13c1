"""What must not stand in a log line: secrets, addresses that open something, people's words, and control characters.

Code does not log such things. This is for what comes in by detours: messages of libraries, errors that quote their
input, addresses with a query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

HIDDEN = "[redacted]"

_FIELDS = frozenset(
    {
        "access_token",
        "api_key",
        "authorization",
        "backup_codes",
        "body",
        "code_verifier",
        "cookie",
        "current_password",
        "new_password",
        "password",
        "prompt",
        "proof",
        "refresh_token",
        "secret",
        "segments",
        "set_cookie",
        "text",
        "ticket",
        "token",
        "transcript",
        "vocabulary",
        "words",
    }
)
_DEPTH = 4

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # scheme://user:password@host
        (r"(\b[a-z][a-z0-9+.-]*://)[^\s/@\"'<>]*:[^\s/@\"'<>]*@", rf"\1{HIDDEN}@"),
        # whole queries: signed addresses, tickets, tokens
        (
            r"(\b(?:https?|wss?)://[^\s?\"'<>]+|/(?:api|ws|s|v1|v2)/[^\s?\"'<>]*)\?[^\s\"'<>]+",
            rf"\1?{HIDDEN}",
        ),
        (r"(/api/shares/|/s/)[a-z0-9_-]{20,}", rf"\1{HIDDEN}"),
        (r"\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}", rf"\1 {HIDDEN}"),
        (r"\beyJ[a-z0-9_-]{6,}\.[a-z0-9_-]+\.[a-z0-9_-]*", HIDDEN),
        (r"\b(?:tr_|sk-)[a-z0-9_-]{16,}", HIDDEN),
        (r"\b(transcribe_(?:refresh|share))=[^;\s\"']+", rf"\1={HIDDEN}"),
        # the setup token is printed for whoever runs the server
        (
            r"(?<!setup_)\b(access_token|refresh_token|token|ticket|password|secret|x-amz-[a-z-]+|signature)"
            r"([=:]\s*|['\"]:\s*['\"])[^\s&,;\"'<>}]+",
            rf"\1\2{HIDDEN}",
        ),
    )
)

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROL_IN_TEXT = {code: shown for code, shown in _CONTROL.items() if code not in (0x09, 0x0A)}


def clean(text: str, *, lines: bool = False) -> str:
    """Without secrets and without characters that a terminal obeys; with `lines` breaks stay, as in a traceback."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text.translate(_CONTROL_IN_TEXT if lines else _CONTROL)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """For structlog's chain: all fields, and what is inside them."""
    return {name: _value(name, value, 0) for name, value in event.items()}


def _value(name: str, value: Any, depth: int) -> Any:
    if name.lower().replace("-", "_") in _FIELDS:
        return HIDDEN
    if isinstance(value, str):
        return clean(value, lines=name == "exception")
    if depth < _DEPTH:
        if isinstance(value, Mapping):
            return {str(key): _value(str(key), item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [_value(name, item, depth + 1) for item in value]
    return value
