"""Speech against text: what is covered, what is a gap, for any regions and words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.asr.coverage import GAP_MS, assess, join_gaps, measure, merge, subtract, total
from app.asr.types import Segment, Window, WindowResult, Word

WINDOW = Window(3, 60_000, 90_000, speech=((61_000, 66_000), (66_500, 71_000), (80_000, 88_000)))
SPEECH_MS = 5_000 + 4_500 + 8_000


def said(start_ms: int, end_ms: int, step: int = 500) -> Segment:
    """A segment with a word every half second."""
    words = tuple(Word("ha", at, at + step) for at in range(start_ms, end_ms - step + 1, step))
    return Segment(start_ms, end_ms, " ".join(word.text for word in words), words)


def test_text_over_all_speech_leaves_no_gap() -> None:
    segments = [said(61_000, 71_000), said(80_000, 88_000)]
    assert measure(WINDOW, segments) == (SPEECH_MS, ())


def test_a_stretch_without_text_is_one_gap_over_a_short_silence() -> None:
    covered, gaps = measure(WINDOW, [said(80_000, 88_000)])
    assert gaps == ((61_000, 71_000),)
    assert covered == 8_000


def test_words_count_not_the_segment_around_them() -> None:
    wide = Segment(61_000, 71_000, "ha", (Word("ha", 61_000, 61_500),))
    _, gaps = measure(WINDOW, [wide, said(80_000, 88_000)])
    assert gaps == ((62_000, 71_000),)


def test_dots_alone_are_no_text() -> None:
    window = Window(0, 0, 10_000, speech=((0, 10_000),))
    dots = Segment(0, 10_000, ". . . .", words=(Word(".", 0, 5_000, 0.5), Word(".", 5_000, 10_000, 0.5)))
    covered, gaps = measure(window, [dots])
    assert (covered, gaps) == (0, ((0, 10_000),))


def test_a_breath_is_no_gap() -> None:
    window = Window(0, 0, 10_000, speech=((500, 2_400), (5_000, 8_000)))
    assert measure(window, [said(5_000, 8_000)]) == (3_000, ())


def test_no_regions_means_nothing_is_known_to_be_missing() -> None:
    assert measure(Window(0, 0, 30_000), []) == (30_000, ())


def test_a_window_given_up_is_a_gap_over_its_speech() -> None:
    lost = WindowResult(error="engine_failed")
    assert assess(WINDOW, lost).gaps == ((61_000, 88_000),)
    assert assess(Window(0, 0, 30_000), lost).gaps == ((0, 30_000),)
    assert assess(WINDOW, lost).covered_ms == 0


def test_gaps_of_neighbouring_windows_are_one() -> None:
    assert join_gaps([(50, 60), (10_000, 12_000), [1_000, 4_000], (3_000, 5_000)]) == (
        (50, 5_000),
        (10_000, 12_000),
    )


moments = st.integers(0, 30_000)
spans = st.lists(st.tuples(moments, st.integers(1, 8_000)), max_size=12).map(
    lambda raw: [(start, start + length) for start, length in raw]
)


@given(spans, spans)
def test_coverage_is_exact_and_gaps_are_speech_without_words(
    speech: list[tuple[int, int]], texts: list[tuple[int, int]]
) -> None:
    regions = tuple(merge(speech))
    window = Window(0, 0, 40_000, speech=regions)
    segments = [Segment(a, b, "ha", (Word("ha", a, b),)) for a, b in texts]
    covered, gaps = measure(window, segments)
    if not regions:
        assert (covered, gaps) == (40_000, ())
        return
    assert 0 <= covered <= total(regions)
    clock = -1
    for start, end in gaps:
        assert clock < start < end
        clock = end
        assert regions[0][0] <= start < end <= regions[-1][1]
        assert not any(a < end and b > start for a, b in texts)
        inside = total((max(a, start), min(b, end)) for a, b in regions if a < end and b > start)
        assert inside > GAP_MS
    assert covered <= total(regions) - sum(
        total((max(a, start), min(b, end)) for a, b in regions if a < end and b > start)
        for start, end in gaps
    )


@given(spans, spans)
def test_subtracting_moment_by_moment(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    one, two = merge((s // 100, e // 100 + 1) for s, e in a), merge((s // 100, e // 100 + 1) for s, e in b)
    left = subtract(one, two)
    expected = {t for s, e in one for t in range(s, e)} - {t for s, e in two for t in range(s, e)}
    assert {t for s, e in left for t in range(s, e)} == expected
    assert total(left) == len(expected)
