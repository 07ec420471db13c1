"""Answers of /v1/audio/transcriptions as window results. Pure: JSON in, values out; anything else is ValueError."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.asr.languages import LANGUAGES
from app.asr.remote.sentences import spread_text
from app.asr.types import Segment, Window, WindowResult, Word

_CODES = {name.casefold(): code for code, name in LANGUAGES.items()}


def window_result(answer: Any, window: Window) -> WindowResult:
    """`json`, `verbose_json` and `diarized_json` alike, by what is in them. Raises ValueError."""
    if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
        raise ValueError("no text")
    try:
        segments = [_segment(item, window) for item in answer.get("segments") or ()]
        words = [_word(item, window) for item in answer.get("words") or ()]
        language = _language(answer)
    except (
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
    ) as error:  # 1e999 is a number to a JSON reader
        raise ValueError("segments, words or language of another shape") from error
    segments = [segment for segment in segments if segment.text]
    if not segments:
        segments = spread_text(answer["text"], window)
    return WindowResult(tuple(_with_words(segments, words)), language)


def _segment(item: dict[str, Any], window: Window) -> Segment:
    start, end = _place(item["start"], item["end"], window)
    probability = item.get("avg_logprob")
    return Segment(
        start,
        end,
        str(item["text"]).strip(),
        confidence=round(min(1.0, math.exp(probability)), 4)
        if isinstance(probability, int | float)
        else None,
        speaker=item.get("speaker") or None,
    )


def _word(item: dict[str, Any], window: Window) -> Word:
    start, end = _place(item["start"], item["end"], window)
    return Word(str(item["word"]).strip(), start, end)


def _place(start: float, end: float, window: Window) -> tuple[int, int]:
    """Seconds from the start of the request's audio as ms of the recording, inside the window."""
    first = min(max(window.start_ms + round(start * 1000), window.start_ms), window.end_ms - 1)
    return first, min(max(window.start_ms + round(end * 1000), first + 1), window.end_ms)


def _with_words(segments: Sequence[Segment], words: Sequence[Word]) -> list[Segment]:
    """Each word in its segment. The segments' own spelling is taken where it counts as many words: the list of words
    comes without punctuation."""
    if not words:
        return list(segments)
    spelled = [segment.text.split() for segment in segments]
    if sum(map(len, spelled)) == len(words):
        ready, at = [], 0
        for segment, texts in zip(segments, spelled, strict=True):
            mine = words[at : at + len(texts)]
            at += len(texts)
            ready.append(
                replace(
                    segment,
                    words=tuple(replace(word, text=text) for word, text in zip(mine, texts, strict=True)),
                )
            )
        return ready
    groups: list[list[Word]] = [[] for _ in segments]
    for word in words:
        before = [n for n, segment in enumerate(segments) if segment.start_ms <= word.start_ms]
        groups[before[-1] if before else 0].append(word)
    return [replace(segment, words=tuple(group)) for segment, group in zip(segments, groups, strict=True)]


def _language(answer: dict[str, Any]) -> str | None:
    """The code: whisper-1 answers an English name, gpt-transcribe a list of codes, others a code."""
    listed = answer.get("languages")
    said = listed[0]["code"] if listed else answer.get("language")
    if not isinstance(said, str):
        return None
    code = said.casefold().split("-")[0].split("_")[0]
    return code if code in LANGUAGES else _CODES.get(said.casefold())
