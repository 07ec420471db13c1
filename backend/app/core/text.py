"""What text that people typed must not do to the line it is shown in."""

from __future__ import annotations

# Invisible marks that turn the direction of text or hide in it; joiners stay, Persian and emoji need them.
_DIRECTION = dict.fromkeys(
    map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff")
)


def without_direction(text: str) -> str:
    """The text without marks that would make it, or what stands beside it, read otherwise than it is."""
    return text.translate(_DIRECTION)
