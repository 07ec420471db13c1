"""Tokens into words: UTF-8, order, speech."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.asr.engines.words import SPEECH_SLACK_MS, Token, clip, clip_segment, fit, join, merge, place, spread
from app.asr.types import Segment, Word


def tokens(*parts: bytes) -> list[Token]:
    return [Token(data, 0.5, i * 100, (i + 1) * 100) for i, data in enumerate(parts)]


def texts(parts: list[Token], language: str | None = "en") -> list[str]:
    return [word.text for word in merge(parts, language)]


def test_words_begin_at_blanks() -> None:
    assert texts(tokens(b" Hel", b"lo", b",", b" world", b".")) == ["Hello,", "world."]


def test_a_character_in_two_tokens_stays_whole() -> None:
    face = "🎙".encode()
    assert texts(tokens(b" a", face[:2], face[2:], b" b")) == ["a🎙", "b"]
    assert texts(tokens(b" a", face[:2], b" b")) == ["a\ufffd b"]  # nothing better can be made of it


def test_scripts_without_blanks_are_split_by_token() -> None:
    word = "今日は、いい".encode()
    parts = tokens(word[:3], word[3:6], word[6:7], word[7:9], word[9:12], word[12:])
    assert texts(parts, "ja") == ["今", "日", "は、", "いい"]


def test_confidence_is_the_geometric_mean() -> None:
    [word] = merge([Token(b" a", 0.9, 0, 1), Token(b"b", 0.4, 1, 2)], "en")
    assert word.confidence == 0.6


def test_clip_takes_silence_off_the_ends() -> None:
    assert clip(0, 10_000, ((3_000, 4_000), (5_000, 6_000))) == (2_850, 6_150)
    assert clip(0, 1_000, ((3_000, 4_000),)) == (0, 1_000)


def test_words_on_one_moment_share_the_speech() -> None:
    words = [Word("one", 0, 0), Word("two", 0, 0), Word("three", 0, 900)]
    placed = place(words, 0, 3_000, ((0, 800), (2_000, 2_600)))
    assert [(word.start_ms, word.end_ms) for word in placed] == [(0, 400), (400, 800), (2_000, 2_600)]


def test_spread_without_regions() -> None:
    assert [(w.start_ms, w.end_ms) for w in spread([Word("a", 0, 0), Word("b", 0, 0)], 100, 300, ())] == [
        (100, 200),
        (200, 300),
    ]


times = st.integers(-1_000, 40_000)


@given(st.lists(st.tuples(times, times), max_size=20), st.integers(50, 30_000), st.booleans())
def test_fitted_words_are_in_order_and_inside(raw: list[tuple[int, int]], length: int, regions: bool) -> None:
    words = [Word(f"w{i}", a, b) for i, (a, b) in enumerate(raw)]
    speech = ((1_500, 2_500), (4_000, 20_000)) if regions else ()
    for fitted in (fit(words, 1_000, 1_000 + length, speech), place(words, 1_000, 1_000 + length, speech)):
        clock = 1_000
        for word in fitted:
            assert clock <= word.start_ms < word.end_ms <= 1_000 + length
            clock = word.end_ms


@given(st.text(max_size=40), st.lists(st.integers(0, 160), max_size=12), st.sampled_from(["en", "ja"]))
def test_any_split_into_tokens_keeps_every_character(text: str, cuts: list[int], language: str) -> None:
    """Tokens are parts of characters as often as not; words together are the text without its blanks."""
    data = text.encode()
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parts = tokens(*(data[a:b] for a, b in pairwise(edges)))
    heard = "".join("".join(texts(parts, language)).split())
    assert heard == "".join(text.split())


regions = st.lists(st.integers(0, 30_000), max_size=8, unique=True).map(
    lambda edges: list(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@given(
    regions, st.integers(0, 29_000), st.integers(1, 15_000), st.lists(st.tuples(times, times), max_size=12)
)
def test_a_clipped_segment_is_in_order_and_near_its_speech(
    speech: list[tuple[int, int]], start: int, length: int, raw: list[tuple[int, int]]
) -> None:
    end = start + length
    words = fit([Word(f"w{i}", a, b) for i, (a, b) in enumerate(raw)], start, end, ())
    segment = Segment(start, end, " ".join(word.text for word in words), tuple(words))
    clipped = clip_segment(segment, speech)
    assert [word.text for word in clipped.words] == [word.text for word in words]
    assert start <= clipped.start_ms < clipped.end_ms <= end
    touched = [region for region in speech if region[0] < end and region[1] > start]
    if not touched:
        assert clipped == segment
        return
    assert clipped.start_ms >= min(touched[0][0] - SPEECH_SLACK_MS, end - 1)
    assert clipped.end_ms <= max(touched[-1][1] + SPEECH_SLACK_MS, clipped.start_ms + 1)
    if clipped.end_ms - clipped.start_ms >= len(words):  # else there is no room for them to be apart
        clock = clipped.start_ms
        for word in clipped.words:
            assert clock <= word.start_ms < word.end_ms <= clipped.end_ms
            clock = word.end_ms


def test_a_word_in_a_pause_goes_to_the_nearer_side() -> None:
    words = (
        Word("one", 0, 800),
        Word("two", 1_500, 1_700),
        Word("three", 4_600, 4_700),
        Word("four", 5_000, 5_500),
    )
    segment = Segment(0, 5_500, "one two three four", words)
    clipped = clip_segment(segment, ((0, 1_200), (5_000, 6_000)))
    assert (clipped.words[1].start_ms, clipped.words[1].end_ms) == (1_000, 1_200)
    assert clipped.words[2].start_ms == 5_000


def test_join_knows_scripts_without_blanks() -> None:
    assert join(["a", "b"], "en") == "a b"
    assert join(["今", "日"], "ja") == "今日"
