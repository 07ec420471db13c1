"""Words as flat integers: what goes in comes out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.asr.types import Segment, Word
from app.services.transcripts.codec import pack_segment, pack_words, segment_view, unpack_segment

texts = st.text(st.characters(blacklist_categories=("Cs", "Zs", "Cc")), min_size=1, max_size=12)


@given(st.lists(st.tuples(texts, st.none() | st.integers(0, 100)), max_size=20))
def test_words_come_back_as_they_were(parts: list[tuple[str, int | None]]) -> None:
    words = tuple(
        Word(text, n * 100, n * 100 + 90, None if percent is None else percent / 100)
        for n, (text, percent) in enumerate(parts)
    )
    segment = Segment(0, 5000, " ".join(w.text for w in words), words, confidence=0.5, flags=("loop",))
    assert unpack_segment(pack_segment(segment)) == segment


def test_words_without_blanks_between_are_found() -> None:
    words = (Word("你好", 0, 500), Word("世界", 500, 900))
    view = segment_view("w0-0", pack_segment(Segment(0, 900, "你好世界", words)))
    assert [w["text"] for w in view["words"]] == ["你好", "世界"]


def test_a_word_that_the_text_does_not_hold_is_left_out() -> None:
    assert pack_words("one three", [Word("one", 0, 1), Word("two", 1, 2), Word("three", 2, 3)]) == [
        *(0, 3, 0, 1, -1),
        *(4, 5, 2, 3, -1),
    ]
