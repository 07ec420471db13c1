"""Flags: what is doubtful is marked, what is plain is not."""

from __future__ import annotations

import pytest

from app.asr import quality
from app.asr.types import Segment, Window

WINDOW = Window(0, 0, 30_000, speech=((1_000, 9_000),))
PLAIN = (
    "The engine room of a ship is where the noise is, and nobody goes there to read a book in the evening."
)


def flags(text: str, start: int = 1_000, end: int = 9_000, confidence: float | None = 0.9) -> tuple[str, ...]:
    [segment] = quality.review([Segment(start, end, text, confidence=confidence)], WINDOW)
    return segment.flags


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("Thank you for watching. " * 12, "loop"),
        ("no no no no no", "loop"),
        (PLAIN * 4, "too_fast"),
    ],
)
def test_flagged(text: str, flag: str) -> None:
    assert flag in flags(text.strip())


def test_plain_text_has_no_flags() -> None:
    assert flags(PLAIN) == ()
    assert flags("no no no") == ()


def test_outside_speech_and_unsure() -> None:
    assert flags("Thanks.", 15_000, 16_000) == ("no_speech",)
    assert flags("Thanks.", confidence=0.2) == ("low_confidence",)


def test_equal_segments_in_a_row() -> None:
    three = [Segment(i * 1000, (i + 1) * 1000, "Yes.") for i in range(3)]
    assert all("loop" in segment.flags for segment in quality.review(three, Window(0, 0, 30_000)))
    assert not any(segment.flags for segment in quality.review(three[:2], Window(0, 0, 30_000)))


def test_a_hard_cut_marks_the_last_segment() -> None:
    pair = [Segment(0, 1000, "One."), Segment(1000, 2000, "Two.")]
    marked = quality.review(pair, Window(0, 0, 2_000, hard_cut=True))
    assert [segment.flags for segment in marked] == [(), ("hard_cut",)]


def test_a_short_text_in_no_time_is_too_fast() -> None:
    """Its times are too rough to count characters by, but fifteen of them in a hundredth of a second cannot be."""
    assert flags("Red meet seven.", 1_000, 1_010) == ("too_fast",)
    assert flags("Red meet seven.", 1_000, 1_500) == ()
    assert flags("No.", 1_000, 1_020) == ()
