"""Tokens into words with times: UTF-8 safe, monotone, inside the window and the speech."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.asr.types import Word

MIN_WORD_MS = 20
SPEECH_SLACK_MS = 150  # speech detection finds edges late and early by as much
# Scripts without blanks between words: every token that completes a character is a word of its own.
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue", "km", "bo"})

Region = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Token:
    """One text token: raw bytes (perhaps half a character), probability, times in ms."""

    data: bytes
    probability: float
    start_ms: int
    end_ms: int


def merge(tokens: Sequence[Token], language: str | None) -> list[Word]:
    """Words of the tokens; a word begins at a leading blank, or at every character in unspaced scripts."""
    groups: list[list[Token]] = []
    open_bytes = b""
    for token in tokens:
        whole = _is_whole(open_bytes)
        begins = token.data.startswith(b" ") or (language in _UNSPACED and _is_letter(token.data))
        if not groups or (whole and begins):
            groups.append([])
            open_bytes = b""
        groups[-1].append(token)
        open_bytes += token.data
    words = [_word(group) for group in groups]
    return [word for word in words if word.text]


def _word(group: list[Token]) -> Word:
    logs = [math.log(max(token.probability, 1e-6)) for token in group]
    return Word(
        text=b"".join(token.data for token in group).decode("utf-8", "replace").strip(),
        start_ms=group[0].start_ms,
        end_ms=group[-1].end_ms,
        confidence=round(min(1.0, math.exp(sum(logs) / len(logs))), 4),
    )


def _is_whole(data: bytes) -> bool:
    """Whether the bytes end at the end of a character."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason != "unexpected end of data"
    return True


def _is_letter(data: bytes) -> bool:
    """Whether the token begins a letter, not punctuation that belongs to the word before."""
    text = data.decode("utf-8", "ignore")
    return not text or text[0].isalnum()


def fit(words: Sequence[Word], start_ms: int, end_ms: int, speech: Sequence[Region]) -> list[Word]:
    """The words in order, inside start_ms..end_ms, each at least MIN_WORD_MS long where there is room, and cut to
    the speech region that it overlaps."""
    fitted: list[Word] = []
    floor = start_ms
    for position, word in enumerate(words):
        left = len(words) - position - 1
        ceiling = max(floor + 1, end_ms - left * MIN_WORD_MS)
        start, end = clip(word.start_ms, word.end_ms, speech)
        start = min(max(start, floor), max(floor, ceiling - MIN_WORD_MS))
        end = min(max(end, start + MIN_WORD_MS), ceiling)
        end = max(end, start + 1)
        fitted.append(Word(word.text, start, end, word.confidence))
        floor = end
    return fitted


def clip(start_ms: int, end_ms: int, speech: Sequence[Region]) -> Region:
    """The interval without the silence at its ends; unchanged where it touches no speech."""
    touched = [region for region in speech if region[0] < end_ms and region[1] > start_ms]
    if not touched:
        return start_ms, end_ms
    start = max(start_ms, touched[0][0] - SPEECH_SLACK_MS)
    end = min(end_ms, touched[-1][1] + SPEECH_SLACK_MS)
    return start, max(end, start + 1)
