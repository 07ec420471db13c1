"""Turns laid over segments: every word has its speaker, and no text is lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.asr.diarization import Turn, assign
from app.asr.types import Segment, Word


def spoken(text: str, *times: tuple[int, int], flags: tuple[str, ...] = ()) -> Segment:
    words = tuple(Word(w, a, b, 0.5) for w, (a, b) in zip(text.split(), times, strict=True))
    return Segment(times[0][0], times[-1][1], text, words, 0.9, flags=flags)


def texts(segments: list[Segment]) -> list[tuple[str | None, str]]:
    return [(segment.speaker, segment.text) for segment in segments]


TURNS = [Turn(0, 1000, "S1"), Turn(1000, 2000, "S2"), Turn(4000, 5000, "S1")]


def test_splits_where_the_speaker_changes() -> None:
    segment = spoken(
        "Are you there? Yes, I am.",
        *[(0, 300), (300, 600), (600, 950), (1050, 1300), (1300, 1500), (1500, 1900)],
        flags=("low_confidence", "hard_cut"),
    )
    first, second = assign(TURNS, [segment])
    assert texts([first, second]) == [("S1", "Are you there?"), ("S2", "Yes, I am.")]
    assert (first.start_ms, first.end_ms, second.start_ms, second.end_ms) == (0, 950, 1050, 1900)
    assert [word.text for word in second.words] == ["Yes,", "I", "am."]
    assert first.flags == ("low_confidence",)
    assert second.flags == ("low_confidence", "hard_cut")
    assert first.confidence == 0.5


def test_a_word_that_drifted_stays_with_its_sentence() -> None:
    segment = spoken("We did it. Good work", (0, 400), (400, 980), (1010, 1200), (1200, 1500), (1500, 1900))
    assert texts(assign(TURNS, [segment])) == [("S1", "We did it."), ("S2", "Good work")]
    segment = spoken("We did it. Good work", (0, 300), (300, 500), (500, 700), (700, 980), (1010, 1900))
    assert texts(assign(TURNS, [segment])) == [("S1", "We did it."), ("S2", "Good work")]


def test_one_word_of_another_is_a_slip_unless_it_stands_alone() -> None:
    turns = [Turn(0, 1000, "S1"), Turn(1000, 1200, "S2"), Turn(1200, 3000, "S1")]
    flip = spoken("one two three", (500, 990), (1000, 1200), (1210, 1800))
    assert texts(assign(turns, [flip])) == [("S1", "one two three")]
    alone = spoken("one yes three", (200, 600), (1000, 1200), (1600, 1800))
    assert texts(assign(turns, [alone])) == [("S1", "one"), ("S2", "yes"), ("S1", "three")]


def test_without_words_or_with_other_words_a_segment_stays_whole() -> None:
    bare = Segment(900, 1900, "Whole.")
    other = Segment(0, 1900, "Something else", (Word("not", 0, 900), Word("there", 1000, 1900)))
    assert texts(assign(TURNS, [bare, other])) == [("S2", "Whole."), ("S1", "Something else")]


def test_outside_of_all_turns_the_nearest_speaks() -> None:
    assert assign(TURNS, [Segment(2100, 2500, "near")])[0].speaker == "S2"
    assert assign(TURNS, [Segment(3600, 3900, "near")])[0].speaker == "S1"
    assert assign(TURNS, [Segment(9000, 9000, "after")])[0].speaker == "S1"


def test_without_turns_nothing_changes() -> None:
    segments = [Segment(0, 10, "as it was")]
    assert assign([], segments) == segments


def test_scripts_without_blanks_are_cut_between_characters() -> None:
    words = (Word("你", 0, 400), Word("好", 400, 900), Word("再", 1100, 1400), Word("见", 1400, 1900))
    for text, parts in (
        ("你好。再见", ["你好。", "再见"]),
        ("你好「再见」", ["你好", "「再见」"]),
        ("你好再见", ["你好", "再见"]),
    ):
        assert [part.text for part in assign(TURNS, [Segment(0, 1900, text, words)])] == parts


marks = st.sampled_from(["", ".", ",", "?", "…", " -", '"'])
blanks = st.sampled_from([" ", "  ", "", "\n"])
names = st.sampled_from(["S1", "S2", "S3"])
letters = st.text("abñ好é", min_size=1, max_size=4)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Turn], list[Segment]]:
    turns, at = [], 0
    for length, gap, name in draw(
        st.lists(st.tuples(st.integers(1, 900), st.integers(0, 300), names), min_size=1, max_size=8)
    ):
        turns.append(Turn(at + gap, at + gap + length, name))
        at += gap + length
    segments, clock = [], 0
    for said in draw(
        st.lists(st.lists(st.tuples(letters, marks, blanks), min_size=1, max_size=8), max_size=4)
    ):
        words, text, start = [], draw(st.sampled_from(["", "(", '"'])), clock
        for word, mark, blank in said:
            length = draw(st.integers(0, 700))
            with_mark = draw(st.booleans())
            words.append(Word(word + mark.strip() if with_mark else word, clock, clock + length))
            text += word + (mark.strip() if with_mark else mark) + blank
            clock += length + draw(st.integers(0, 400))
        segments.append(Segment(start, clock, text.strip(), tuple(words)))
    return turns, segments


@settings(deadline=None)
@given(conversations())
def test_no_text_and_no_word_is_lost(case: tuple[list[Turn], list[Segment]]) -> None:
    turns, segments = case
    for segment in segments:
        parts = assign(turns, [segment])
        assert "".join("".join(p.text.split()) for p in parts) == "".join(segment.text.split())
        assert all(part.text in segment.text for part in parts)
        assert [word for part in parts for word in part.words] == list(segment.words)
        assert all(part.speaker in {turn.speaker for turn in turns} for part in parts)
        assert (parts[0].start_ms, parts[-1].end_ms) == (segment.start_ms, segment.end_ms)
        assert all(a.speaker != b.speaker for a, b in pairwise(parts))
        for part in parts:
            position = 0
            for word in part.words:
                position = part.text.index(word.text, position) + len(word.text)
