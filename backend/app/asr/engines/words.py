"""Tokens into words with times: UTF-8 safe, monotone, inside the window and the speech."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.asr.types import Segment, Word

MIN_WORD_MS = 20
MIN_MS_PER_CHARACTER = 20  # faster than anybody speaks: the time of such a word is a wrong guess
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


def place(words: Sequence[Word], start_ms: int, end_ms: int, speech: Sequence[Region]) -> list[Word]:
    """The words of one phrase, each with a place of its own inside start_ms..end_ms.

    The engine's times are kept where they are possible. whisper.cpp's guess often puts the first words of a phrase on
    one moment: then the words share the speech of the phrase by their length.
    """
    fitted = fit(words, start_ms, end_ms, speech)
    if all(word.end_ms - word.start_ms >= MIN_MS_PER_CHARACTER * len(word.text) for word in fitted):
        return fitted
    return fit(spread(words, start_ms, end_ms, speech), start_ms, end_ms, ())


def spread(words: Sequence[Word], start_ms: int, end_ms: int, speech: Sequence[Region]) -> list[Word]:
    """The words over the speech between two moments, in proportion to their letters."""
    parts = [(max(a, start_ms), min(b, end_ms)) for a, b in speech if a < end_ms and b > start_ms]
    parts = parts or [(start_ms, end_ms)]
    voiced = sum(b - a for a, b in parts)
    weights = [len(word.text) + 1 for word in words]
    total = sum(weights)
    done = 0
    placed = []
    for word, weight in zip(words, weights, strict=True):
        begin = _moment(parts, voiced * done // total, at_start=True)
        done += weight
        end = _moment(parts, voiced * done // total, at_start=False)
        placed.append(Word(word.text, begin, max(end, begin), word.confidence))
    return placed


def _moment(parts: Sequence[Region], voiced_ms: int, *, at_start: bool) -> int:
    """When so much speech has passed; at a pause, its end for the start of a word, else its beginning."""
    for start, end in parts:
        length = end - start
        if voiced_ms < length or (voiced_ms == length and not at_start):
            return start + voiced_ms
        voiced_ms -= length
    return parts[-1][1]


def fit(words: Sequence[Word], start_ms: int, end_ms: int, speech: Sequence[Region]) -> list[Word]:
    """The words in order, inside start_ms..end_ms, each at least MIN_WORD_MS long where there is room, and cut to
    the speech region that it overlaps."""
    count = max(1, len(words))
    shortest = max(1, min(MIN_WORD_MS, (end_ms - start_ms) // count))
    fitted: list[Word] = []
    floor = start_ms
    for position, word in enumerate(words):
        room = shortest * (len(words) - position - 1)  # for the words still to come
        start, end = clip(word.start_ms, word.end_ms, speech)
        start = max(floor, min(start, end_ms - room - shortest))
        end = max(start + shortest, min(end, end_ms - room))
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


def join(texts: Sequence[str], language: str | None) -> str:
    """Words as one text, with blanks where the language has them."""
    return ("" if language in _UNSPACED else " ").join(texts)


def clip_segment(segment: Segment, speech: Sequence[Region]) -> Segment:
    """The segment without silence at its ends, and each of its words at the speech that it touches.

    A word that lies in silence is moved to the nearest of that speech. A segment that touches none is left alone.
    """
    touched = [region for region in speech if region[0] < segment.end_ms and region[1] > segment.start_ms]
    if not touched:
        return segment
    start, end = clip(segment.start_ms, segment.end_ms, touched)
    words = fit([_pulled(word, touched) for word in segment.words], start, end, touched)
    return replace(segment, start_ms=start, end_ms=end, words=tuple(words))


def _pulled(word: Word, speech: Sequence[Region]) -> Word:
    """The word where it is, or of the same length at the edge of the nearest speech."""
    if any(
        start - SPEECH_SLACK_MS < word.end_ms and end + SPEECH_SLACK_MS > word.start_ms
        for start, end in speech
    ):
        return word
    length = word.end_ms - word.start_ms
    start, end = min(speech, key=lambda region: max(region[0] - word.end_ms, word.start_ms - region[1]))
    if start >= word.end_ms:
        return replace(word, start_ms=start, end_ms=min(start + length, end))
    return replace(word, start_ms=max(end - length, start), end_ms=end)
