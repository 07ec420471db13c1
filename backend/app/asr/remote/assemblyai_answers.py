"""A finished transcript of AssemblyAI as a window result. Pure: the SDK's values in, ours out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.asr.languages import LANGUAGES
from app.asr.remote.sentences import sentences, spread_text
from app.asr.types import Segment, Window, WindowResult, Word


def window_result(transcript: Any, window: Window) -> WindowResult:
    """Segments by sentence, and by turn of a speaker where the provider told speakers apart (`utterances`)."""
    language = _language(transcript.language_code)
    segments: list[Segment] = []
    for turn in transcript.utterances or ():
        segments += sentences(_words(turn.words, window), language, turn.speaker)
    if not segments:
        segments = sentences(_words(transcript.words or (), window), language)
    if not segments and transcript.text:
        segments = spread_text(transcript.text, window)
    return WindowResult(tuple(sorted(segments, key=lambda segment: segment.start_ms)), language)


def _words(said: Iterable[Any], window: Window) -> Sequence[Word]:
    """Times are the provider's own ms, kept inside the recording."""
    words = []
    for word in said:
        text = word.text.strip()
        start = min(max(word.start, window.start_ms), max(window.end_ms - 1, window.start_ms))
        end = min(max(word.end, start + 1), max(window.end_ms, start + 1))
        if text:
            words.append(Word(text, start, end, round(min(max(word.confidence, 0.0), 1.0), 4)))
    return words


def _language(code: Any) -> str | None:
    """Our code of `en`, `en_us` or the SDK's enumeration."""
    if code is None:
        return None
    short = str(getattr(code, "value", code)).lower().split("_")[0].split("-")[0]
    return short if short in LANGUAGES else None
