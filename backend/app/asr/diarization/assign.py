"""Whose words are whose: turns laid over segments, which are split where the speaker changes. No text is lost."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from app.asr.diarization.types import Turn
from app.asr.types import Segment, Word

FLIP_PAUSE_MS = 300  # one word of another speaker between words of one counts only with such pauses around it
DRIFT_MS = 400  # how far a word's time may be wrong: so near to a change, sentences decide
SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！", "؟", "।")


def assign(turns: Sequence[Turn], segments: Iterable[Segment]) -> list[Segment]:
    """The segments with speakers; more of them than before where one holds the words of several people.

    `turns` are in order and do not overlap. Each word goes to the speaker whose turns cover most of it, or whose turn
    is nearest. A segment without words, or whose words do not stand in its text, goes whole to one speaker.
    """
    if not turns:
        return list(segments)
    lookup = _Lookup(turns)
    return [part for segment in segments for part in _parts(lookup, segment)]


def _parts(lookup: _Lookup, segment: Segment) -> list[Segment]:
    offsets = _offsets(segment)
    if not offsets:
        return [replace(segment, speaker=lookup.speaker(segment.start_ms, segment.end_ms))]
    speakers = [lookup.speaker(word.start_ms, word.end_ms) for word in segment.words]
    speakers = _without_flips(segment.words, speakers)
    speakers = _at_sentences(lookup, segment.words, speakers)
    runs = [[i for i, _ in run] for _, run in groupby(enumerate(speakers), key=lambda pair: pair[1])]
    if len(runs) == 1:
        return [replace(segment, speaker=speakers[0])]
    cuts = [0, *(_cut(segment.text, offsets[run[0] - 1], offsets[run[0]]) for run in runs[1:])]
    cuts.append(len(segment.text))
    return [
        _part(segment, segment.text[a:b], [segment.words[i] for i in run], speakers[run[0]], n, len(runs))
        for n, (run, a, b) in enumerate(zip(runs, cuts, cuts[1:], strict=False))
    ]


def _part(segment: Segment, text: str, words: list[Word], speaker: str, number: int, count: int) -> Segment:
    first, last = number == 0, number == count - 1
    known = [word.confidence for word in words if word.confidence is not None]
    flags = tuple(flag for flag in segment.flags if flag != "hard_cut" or last)
    return Segment(
        start_ms=segment.start_ms if first else words[0].start_ms,
        end_ms=segment.end_ms if last else words[-1].end_ms,
        text=text.strip(),
        words=tuple(words),
        confidence=round(sum(known) / len(known), 4) if known else segment.confidence,
        speaker=speaker,
        flags=flags,
    )


def _offsets(segment: Segment) -> list[tuple[int, int]]:
    """First character and end of each word in the text; empty where not all of them stand there in order."""
    found: list[tuple[int, int]] = []
    position = 0
    for word in segment.words:
        at = segment.text.find(word.text, position) if word.text else -1
        if at < 0:
            return []
        position = at + len(word.text)
        found.append((at, position))
    return found


def _cut(text: str, before: tuple[int, int], after: tuple[int, int]) -> int:
    """Where to cut between two words: what follows the first up to a blank stays with it, else all but opening
    brackets and quotation marks."""
    between = text[before[1] : after[0]]
    for i, character in enumerate(between):
        if character.isspace():
            return before[1] + i
    for i, character in enumerate(between):
        if unicodedata.category(character) in ("Ps", "Pi"):
            return before[1] + i
    return after[0]


def _without_flips(words: Sequence[Word], speakers: list[str]) -> list[str]:
    """A single word between words of another speaker, spoken without pauses around it, is theirs."""
    smooth = list(speakers)
    for i in range(1, len(words) - 1):
        alone = smooth[i - 1] == speakers[i + 1] != speakers[i]
        pauses = min(words[i].start_ms - words[i - 1].end_ms, words[i + 1].start_ms - words[i].end_ms)
        if alone and pauses < FLIP_PAUSE_MS:
            smooth[i] = smooth[i - 1]
    return smooth


def _at_sentences(lookup: _Lookup, words: Sequence[Word], speakers: list[str]) -> list[str]:
    """Moves a change by one word to the end of a sentence beside it, where that word is near the change: times of
    words are less sure than full stops."""
    moved = list(speakers)
    for i in range(1, len(words)):
        before, after = moved[i - 1], moved[i]
        if before == after or _ends(words[i - 1]):
            continue
        if _ends(words[i]) and lookup.near_change(words[i].start_ms):
            moved[i] = before
        elif i >= 2 and _ends(words[i - 2]) and lookup.near_change(words[i - 1].end_ms):
            moved[i - 1] = after
    return moved


def _ends(word: Word) -> bool:
    return word.text.rstrip("\"'”’»)]").endswith(SENTENCE_ENDS)


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Finds turns by time."""

    turns: Sequence[Turn]

    def speaker(self, start_ms: int, end_ms: int) -> str:
        """Whose turns cover most of an interval; where none does, whose turn is nearest."""
        end_ms = max(end_ms, start_ms + 1)
        covered: dict[str, int] = {}
        at = bisect_left(self.turns, start_ms + 1, key=lambda turn: turn.end_ms)
        for i in range(at, len(self.turns)):
            turn = self.turns[i]
            if turn.start_ms >= end_ms:
                break
            overlap = min(end_ms, turn.end_ms) - max(start_ms, turn.start_ms)
            covered[turn.speaker] = covered.get(turn.speaker, 0) + overlap
        if covered:
            return max(covered, key=lambda speaker: covered[speaker])
        beside = [self.turns[j] for j in (at - 1, at) if 0 <= j < len(self.turns)]
        return min(beside, key=lambda turn: max(turn.start_ms - end_ms, start_ms - turn.end_ms)).speaker

    def near_change(self, moment_ms: int) -> bool:
        """Whether a turn begins or ends within DRIFT_MS."""
        at = bisect_left(self.turns, moment_ms - DRIFT_MS, key=lambda turn: turn.end_ms)
        return any(
            abs(edge - moment_ms) <= DRIFT_MS
            for turn in self.turns[at : at + 3]
            for edge in (turn.start_ms, turn.end_ms)
        )
