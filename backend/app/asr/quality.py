"""Doubts about what an engine said, as flags on segments. Nothing is dropped.

Measures and thresholds: OpenAI Whisper and faster-whisper (zlib ratio 2.4), and rates of human speech.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

from app.asr.types import Segment, Window

MAX_ZLIB_RATIO = 2.4
MIN_ZLIB_CHARACTERS = 60  # below, the format's overhead hides the repetition
MAX_CHARACTERS_PER_SECOND = 25.0
MIN_RATE_CHARACTERS = 30
LOOP_REPEATS = 4
LOOP_SEGMENTS = 3
MIN_CONFIDENCE = 0.4


def review(segments: Sequence[Segment], window: Window) -> list[Segment]:
    """The segments of one window with their flags: loop, too_fast, low_confidence, no_speech, hard_cut."""
    last = len(segments) - 1
    reviewed = []
    for position, segment in enumerate(segments):
        flags = [*segment.flags]
        if is_loop(segment.text) or _repeats(segments, position):
            flags.append("loop")
        if is_too_fast(segment):
            flags.append("too_fast")
        if segment.confidence is not None and segment.confidence < MIN_CONFIDENCE:
            flags.append("low_confidence")
        if is_outside_speech(segment, window):
            flags.append("no_speech")
        if window.hard_cut and position == last:
            flags.append("hard_cut")
        reviewed.append(replace(segment, flags=tuple(dict.fromkeys(flags))))
    return reviewed


def is_loop(text: str) -> bool:
    """Whether a text repeats itself: it packs too well, or a phrase of 1 to 6 words follows itself again and again."""
    return zlib_ratio(text) > MAX_ZLIB_RATIO or longest_run(text.casefold().split()) >= LOOP_REPEATS


def zlib_ratio(text: str) -> float:
    """Bytes before over bytes after packing; 0 for texts too short to tell."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if len(text) >= MIN_ZLIB_CHARACTERS else 0.0


def longest_run(words: Sequence[str], longest_phrase: int = 6) -> int:
    """How often, at most, a phrase of up to `longest_phrase` words directly follows itself."""
    best = 1
    for size in range(1, longest_phrase + 1):
        run = 0  # words that equal the one `size` places before
        for at in range(size, len(words)):
            run = run + 1 if words[at] == words[at - size] else 0
            best = max(best, run // size + 1)
    return best


def is_too_fast(segment: Segment) -> bool:
    """Whether nobody can speak so many characters in the time."""
    seconds = max(segment.end_ms - segment.start_ms, 1) / 1000
    return (
        len(segment.text) >= MIN_RATE_CHARACTERS and len(segment.text) / seconds > MAX_CHARACTERS_PER_SECOND
    )


def is_outside_speech(segment: Segment, window: Window) -> bool:
    """Whether the segment touches none of the speech that was found; unknown, so False, without regions."""
    return bool(window.speech) and not any(
        start < segment.end_ms and end > segment.start_ms for start, end in window.speech
    )


def _repeats(segments: Sequence[Segment], position: int) -> bool:
    """Whether the segment is one of LOOP_SEGMENTS or more equal ones in a row."""
    text = segments[position].text.casefold()
    first = position
    while first > 0 and segments[first - 1].text.casefold() == text:
        first -= 1
    end = position
    while end < len(segments) and segments[end].text.casefold() == text:
        end += 1
    return end - first >= LOOP_SEGMENTS
