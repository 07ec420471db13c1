"""Puts words that were heard on a second listening into the text around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.asr.coverage import Region
from app.asr.engines.words import join
from app.asr.types import Segment, Word

EDGE_MS = 250  # a word whose middle lies this far outside the gap belongs to the text that is there
ECHO_WORDS = 3
ECHO_MS = 1_000


def fill(
    segments: Sequence[Segment], found: Sequence[Segment], gap: Region, language: str | None
) -> list[Segment]:
    """The segments in order, with what was found inside the gap between them and nothing said twice.

    Text that was there stays as it is; a segment that reaches over the gap is parted there.
    """
    fresh = [cut for segment in found if (cut := _inside(segment, gap, language)) is not None]
    before, after = [], []
    for segment in segments:
        head, tail = _part(segment, gap, language)
        before += [head] if head is not None else []
        after += [tail] if tail is not None else []
    fresh = _without_echo(before, fresh, after, language)
    low = before[-1].end_ms if before else None
    high = after[0].start_ms if after else None
    placed = []
    for segment in fresh:
        start = segment.start_ms if low is None else max(segment.start_ms, low)
        end = segment.end_ms if high is None else min(segment.end_ms, high)
        if start < end:
            placed.append(_fitted(segment, start, end))
            low = end
    return [*before, *placed, *after] if placed else list(segments)


def _inside(segment: Segment, gap: Region, language: str | None) -> Segment | None:
    """What of a segment lies in the gap; None where nothing does."""
    low, high = gap[0] - EDGE_MS, gap[1] + EDGE_MS
    if not segment.words:
        return segment if low <= (segment.start_ms + segment.end_ms) // 2 <= high else None
    words = [word for word in segment.words if low <= (word.start_ms + word.end_ms) // 2 <= high]
    return _of_words(segment, words, language)


def _part(segment: Segment, gap: Region, language: str | None) -> tuple[Segment | None, Segment | None]:
    """The segment before and after the gap."""
    middle = (gap[0] + gap[1]) // 2
    if segment.end_ms <= gap[0] or (not segment.words and segment.start_ms < middle):
        return segment, None
    if segment.start_ms >= gap[1] or not segment.words:
        return None, segment
    head = [word for word in segment.words if word.start_ms < middle]
    tail = [word for word in segment.words if word.start_ms >= middle]
    return _of_words(segment, head, language), _of_words(segment, tail, language)


def _of_words(segment: Segment, words: Sequence[Word], language: str | None) -> Segment | None:
    """The segment with only these of its words, all of them or some; None without any."""
    if not words:
        return None
    sure = [word.confidence for word in words if word.confidence is not None]
    whole = len(words) == len(segment.words)
    return replace(
        segment,
        start_ms=words[0].start_ms,
        end_ms=words[-1].end_ms,
        text=segment.text if whole else join([word.text for word in words], language),
        words=tuple(words),
        confidence=round(sum(sure) / len(sure), 4) if sure else segment.confidence,
    )


def _without_echo(
    before: Sequence[Segment], fresh: list[Segment], after: Sequence[Segment], language: str | None
) -> list[Segment]:
    """The found segments without words at their edges that the neighbours have already: the padding of the gap lets
    the engine hear the ends of those again."""
    if fresh and before and (count := _echo(before[-1].words, fresh[0].words)):
        first = _of_words(fresh[0], fresh[0].words[count:], language)
        fresh = ([first] if first is not None else []) + fresh[1:]
    if fresh and after and (count := _echo(fresh[-1].words, after[0].words)):
        last = _of_words(fresh[-1], fresh[-1].words[:-count], language)
        fresh = fresh[:-1] + ([last] if last is not None else [])
    return fresh


def _echo(ends: Sequence[Word], begins: Sequence[Word]) -> int:
    """How many last words of one text are the first words of the next, said at the same time."""
    for count in range(min(ECHO_WORDS, len(ends), len(begins)), 0, -1):
        pairs = list(zip(ends[-count:], begins[:count], strict=True))
        if all(
            _plain(a.text) == _plain(b.text) and abs(a.start_ms - b.start_ms) <= ECHO_MS for a, b in pairs
        ):
            return count
    return 0


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _fitted(segment: Segment, start_ms: int, end_ms: int) -> Segment:
    """The segment inside two moments, its words, too."""
    words = tuple(
        replace(word, start_ms=start, end_ms=end)
        for word in segment.words
        if (start := max(word.start_ms, start_ms)) < (end := min(word.end_ms, end_ms))
    )
    if len(words) < len(segment.words):  # no room for all of them: keep the text, not times that are wrong
        words = ()
    return replace(segment, start_ms=start_ms, end_ms=end_ms, words=words)
