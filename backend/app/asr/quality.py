"""Doubts about what an engine said, as flags on segments. Nothing is dropped here.

Measures and thresholds: OpenAI Whisper and faster-whisper (zlib ratio 2.4), rates of human speech, and what was
measured for docs/adr/0007-quality-gate.md.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import replace

from app.asr import scripts
from app.asr.types import Segment, Window

MAX_ZLIB_RATIO = 2.4
MIN_ZLIB_CHARACTERS = 60  # below, the format's overhead hides the repetition
MAX_CHARACTERS_PER_SECOND = 25.0
MIN_RATE_CHARACTERS = 30
# Of shorter texts the times are too rough to count characters by, but some cannot be.
IMPOSSIBLE_CHARACTERS_PER_SECOND = 100.0
MIN_IMPOSSIBLE_CHARACTERS = 10
LOOP_REPEATS = 4  # of one word: "no no no" is how people talk
LOOP_PHRASE_REPEATS = 3  # of two words or more
LONGEST_PHRASE = 20  # words; a loop of 14 was measured to pass whisper.cpp's own check
LOOP_SEGMENTS = 3
MIN_CONFIDENCE = 0.4
TOUCH_MS = (
    200  # less speech than this under a segment is chance: invented text often ends where real text begins
)
OUTSIDE_MS = 300  # engines and speech detection both place edges late and early by as much


def review(segments: Sequence[Segment], window: Window, language: str | None = None) -> list[Segment]:
    """The segments of one window with their flags (types.FLAGS), those that they have kept.

    `language` is the one that the text should be in, None where that is not known.
    """
    last = len(segments) - 1
    looped = _looped(segments)
    reviewed = []
    for position, segment in enumerate(segments):
        flags = [*segment.flags]
        if position in looped or is_loop(segment.text):
            flags.append("loop")
        if is_too_fast(segment):
            flags.append("too_fast")
        if segment.confidence is not None and segment.confidence < MIN_CONFIDENCE:
            flags.append("low_confidence")
        if is_outside_speech(segment, window):
            flags.append("no_speech")
        if language is not None and scripts.is_foreign(segment.text, language):
            flags.append("language_flip")
        if window.hard_cut and position == last:
            flags.append("hard_cut")
        reviewed.append(replace(segment, flags=tuple(dict.fromkeys(flags))))
    return reviewed


def is_loop(text: str) -> bool:
    """Whether a text repeats itself: it packs too well, or a word or phrase follows itself again and again."""
    return zlib_ratio(text) > MAX_ZLIB_RATIO or bool(looped_words(text.casefold().split()))


def zlib_ratio(text: str) -> float:
    """Bytes before over bytes after packing; 0 for texts too short to tell."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if len(text) >= MIN_ZLIB_CHARACTERS else 0.0


def looped_words(words: Sequence[str]) -> set[int]:
    """Positions of words in a loop: one word LOOP_REPEATS times, or a phrase of up to LONGEST_PHRASE words
    LOOP_PHRASE_REPEATS times, each time directly after itself."""
    found: set[int] = set()
    for size in range(1, LONGEST_PHRASE + 1):
        repeats = LOOP_REPEATS if size == 1 else LOOP_PHRASE_REPEATS
        run = 0  # words that equal the one `size` places before
        for at in range(size, len(words) + 1):
            if at < len(words) and words[at] == words[at - size]:
                run += 1
                continue
            if run // size + 1 >= repeats:
                found.update(range(at - run - size, at))
            run = 0
    return found


def is_too_fast(segment: Segment) -> bool:
    """Whether nobody can speak so many characters in the time. Wide ones (Chinese, Japanese, Korean) count twice."""
    seconds = max(segment.end_ms - segment.start_ms, 1) / 1000
    count = len(segment.text)
    if not segment.text.isascii():
        count += sum(unicodedata.east_asian_width(character) in "WF" for character in segment.text)
    rate = count / seconds
    if count < MIN_RATE_CHARACTERS:
        return count >= MIN_IMPOSSIBLE_CHARACTERS and rate > IMPOSSIBLE_CHARACTERS_PER_SECOND
    return rate > MAX_CHARACTERS_PER_SECOND


def is_outside_speech(segment: Segment, window: Window) -> bool:
    """Whether the segment is about no speech that was found: it holds next to none, and does not lie at the edge of
    some by a time that is a little wrong either. Unknown, so False, without regions."""
    if not window.speech:
        return False
    length = segment.end_ms - segment.start_ms
    near = _shared(segment, window, OUTSIDE_MS)
    return _shared(segment, window, 0) < min(TOUCH_MS, length / 5) and near < length / 2


def _shared(segment: Segment, window: Window, slack_ms: int) -> int:
    """How many ms of the segment lie in speech, each region grown by the slack (a moment in two counts twice)."""
    return sum(
        max(0, min(segment.end_ms, end + slack_ms) - max(segment.start_ms, start - slack_ms))
        for start, end in window.speech
    )


def _looped(segments: Sequence[Segment]) -> set[int]:
    """Positions of segments that loop together: LOOP_SEGMENTS equal ones in a row, most of their words in a loop that
    goes on over several, or a whole text that packs too well though no part of it does."""
    texts = [segment.text.casefold() for segment in segments]
    found: set[int] = set()
    first = 0
    for at in range(1, len(texts) + 1):
        if at == len(texts) or texts[at] != texts[first]:
            if at - first >= LOOP_SEGMENTS:
                found.update(range(first, at))
            first = at
    looped = looped_words([word for text in texts for word in text.split()])
    begin = 0
    for at, text in enumerate(texts):
        count = len(text.split())
        if 2 * sum(position in looped for position in range(begin, begin + count)) > count:
            found.add(at)
        begin += count
    if not found and zlib_ratio(" ".join(texts)) > MAX_ZLIB_RATIO:
        found.update(range(len(texts)))
    return found
