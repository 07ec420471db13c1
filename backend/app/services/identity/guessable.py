"""Passwords that are among the first to be tried (NIST SP 800-63B, 5.1.1.2): a list, and what is made of it by habit."""

from __future__ import annotations

import string
from functools import cache
from itertools import pairwise
from pathlib import Path

_LIST = Path(__file__).parent / "common_passwords.txt"
_AFFIXES = string.digits + string.punctuation
_MAX_AFFIX = 6  # `monkey!2024`: more than a year and a sign beside the word may be somebody's own secret
_MIN_PERIOD = 5
_SERVICE = "transcribe"


def is_guessable(password: str, email: str) -> bool:
    """Whether a list of known passwords, or a habit, leads to this one before any search does.

    Told by the text alone: the list, the same few characters over and over, a run along the alphabet, and the name of
    the service or the account's own address, each also with digits and signs around it.
    """
    text = password.casefold()
    known = _common()
    own = {_SERVICE, email.casefold(), *email.casefold().split("@")}
    period = _period(text)
    candidates = {text, period, _bare(text), _bare(period)}
    few = len(period) < _MIN_PERIOD or len(set(text)) < _MIN_PERIOD - 1
    return bool(candidates & (known | own)) or few or _is_run(text)


@cache
def _common() -> frozenset[str]:
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _bare(text: str) -> str:
    """Without a few digits and signs at both ends; unchanged where there are more of them."""
    bare = text.strip(_AFFIXES)
    return bare if len(text) - len(bare) <= _MAX_AFFIX else text


def _period(text: str) -> str:
    """The shortest text that gives this one when it is repeated, as a whole or cut off at the end."""
    for length in range(1, len(text) // 2 + 1):
        if all(text[i] == text[i - length] for i in range(length, len(text))):
            return text[:length]
    return text


def _is_run(text: str) -> bool:
    """Nine of ten steps go to a neighbour: abcdefghijkl, 210987654321."""
    steps = [ord(after) - ord(before) for before, after in pairwise(text)]
    near = max(sum(step in wanted for step in steps) for wanted in ((0, 1), (0, -1)))
    return near >= 0.9 * len(steps)
