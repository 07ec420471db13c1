"""Words into segments, and text without times onto the speech of its window. Pure; times in ms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.asr import quality
from app.asr.coverage import assess
from app.asr.engines.words import spread
from app.asr.types import Segment, Window, WindowResult, Word

LONGEST_MS = 30_000
PAUSE_MS = 1_500
_ENDS = (".", "?", "!", "…", "。", "？", "！", "؟", "।")
_AFTER_SENTENCE = re.compile(r"(?<=[.?!…؟।])\s+|(?<=[。？！])\s*")
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue", "km", "bo"})


def checked(window: Window, result: WindowResult, language: str | None) -> WindowResult:
    """The result with flags on doubtful segments, what it covers and where it has gaps; `language` is the one that the
    text should be in, None where any may be. The same as `app.asr.gate.assess`, which needs numpy: that stays out of
    the server's process."""
    segments = tuple(quality.review(result.segments, window, language))
    return assess(window, replace(result, segments=segments))


def sentences(words: Sequence[Word], language: str | None, speaker: str | None = None) -> list[Segment]:
    """Segments that end with a sentence, before a pause of PAUSE_MS, or before they are LONGEST_MS long."""
    groups: list[list[Word]] = []
    for word in words:
        last = groups[-1] if groups else None
        if (
            last is None
            or last[-1].text.endswith(_ENDS)
            or word.start_ms - last[-1].end_ms >= PAUSE_MS
            or word.end_ms - last[0].start_ms > LONGEST_MS
        ):
            groups.append([])
        groups[-1].append(word)
    return [_segment(group, language, speaker) for group in groups]


def _segment(words: Sequence[Word], language: str | None, speaker: str | None) -> Segment:
    known = [word.confidence for word in words if word.confidence is not None]
    return Segment(
        words[0].start_ms,
        max(words[-1].end_ms, words[0].start_ms + 1),
        join_words((word.text for word in words), language),
        words=tuple(words),
        confidence=round(sum(known) / len(known), 4) if known else None,
        speaker=speaker,
    )


def join_words(texts: Iterable[str], language: str | None) -> str:
    """Words as running text; without blanks in scripts that have none."""
    return ("" if language in _UNSPACED else " ").join(texts)


def spread_text(text: str, window: Window, speaker: str | None = None) -> list[Segment]:
    """Sentences over the speech of the window, in proportion to their letters: for answers without times."""
    parts = [part.strip() for part in _AFTER_SENTENCE.split(text) if part.strip()]
    if not parts:
        return []
    placed = spread([Word(part, 0, 0) for part in parts], window.start_ms, window.end_ms, window.speech)
    return [
        Segment(word.start_ms, max(word.end_ms, word.start_ms + 1), word.text, speaker=speaker)
        for word in placed
    ]
