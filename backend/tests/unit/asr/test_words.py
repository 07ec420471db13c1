"""Tokens into words: UTF-8, order, speech."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.asr.engines.words import Token, clip, fit, merge, place, spread
from app.asr.types import Word


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
