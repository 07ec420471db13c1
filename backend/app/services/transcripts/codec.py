"""Segments as they are kept: plain JSON with words as flat integers (a quarter of the size of objects)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.asr.types import Segment, Word

WORD_FIELDS = 5  # offset and length in the text, start_ms, end_ms, confidence in percent (-1: unknown)


def pack_words(text: str, words: Iterable[Word]) -> list[int]:
    """Words as flat integers. A word that does not stand in `text` after the one before it is left out."""
    flat: list[int] = []
    position = 0
    for word in words:
        offset = text.find(word.text, position)
        if offset < 0 or not word.text:
            continue
        position = offset + len(word.text)
        percent = -1 if word.confidence is None else round(word.confidence * 100)
        flat += (offset, len(word.text), word.start_ms, word.end_ms, percent)
    return flat


def unpack_words(text: str, flat: Sequence[int]) -> list[Word]:
    """The reverse of `pack_words`."""
    words = []
    for i in range(0, len(flat) - WORD_FIELDS + 1, WORD_FIELDS):
        offset, length, start_ms, end_ms, percent = flat[i : i + WORD_FIELDS]
        confidence = None if percent < 0 else percent / 100
        words.append(Word(text[offset : offset + length], start_ms, end_ms, confidence))
    return words


def pack_segment(segment: Segment) -> dict[str, Any]:
    """A segment for a checkpoint's JSON column."""
    return {
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "text": segment.text,
        "speaker": segment.speaker,
        "confidence": segment.confidence,
        "flags": list(segment.flags),
        "words": pack_words(segment.text, segment.words),
    }


def unpack_segment(packed: dict[str, Any]) -> Segment:
    """The reverse of `pack_segment`."""
    return Segment(
        start_ms=packed["start_ms"],
        end_ms=packed["end_ms"],
        text=packed["text"],
        words=tuple(unpack_words(packed["text"], packed["words"])),
        confidence=packed["confidence"],
        speaker=packed["speaker"],
        flags=tuple(packed["flags"]),
    )


def segment_id(window: int, position: int) -> str:
    """Stable from the first partial reading on: the window's index and the segment's place in it."""
    return f"w{window}-{position}"


def segment_view(identifier: str, packed: dict[str, Any]) -> dict[str, Any]:
    """A segment as the API shows it (docs/api.md, result)."""
    words = unpack_words(packed["text"], packed["words"])
    return {
        "id": identifier,
        "start_ms": packed["start_ms"],
        "end_ms": packed["end_ms"],
        "text": packed["text"],
        "speaker": packed["speaker"],
        "confidence": packed["confidence"],
        "flags": packed["flags"],
        "words": [
            {"text": w.text, "start_ms": w.start_ms, "end_ms": w.end_ms, "confidence": w.confidence}
            for w in words
        ],
    }
