"""What the engines of the Whisper family share around a call: sound that native code can bear, segments in order."""

from __future__ import annotations

import numpy as np

from app.asr import quality
from app.asr.engines.base import RATE, Samples
from app.asr.engines.words import clip, place
from app.asr.types import Segment, Window
from app.core.errors import JobError

MIN_SAMPLES = RATE * 11 // 10  # whisper.cpp answers nothing at all below one second


def in_order(segments: list[Segment], window: Window) -> list[Segment]:
    """Segments that follow each other inside the window, with words inside each; their confidence is that of their
    words where they have none."""
    placed: list[Segment] = []
    floor = window.start_ms
    shortest = [max(1, len(segment.words)) for segment in segments]  # ms: every word has a moment of its own
    for position, segment in enumerate(segments):
        room = shortest[position]
        ceiling = max(floor + room, window.end_ms - sum(shortest[position + 1 :]))
        start = min(max(segment.start_ms, floor), ceiling - room)
        end = min(max(segment.end_ms, start + room), ceiling)
        if quality.is_too_fast(
            Segment(start, end, segment.text)
        ):  # an end that cannot be: up to the next one's start
            later = [other.start_ms for other in segments[position + 1 :] if other.start_ms > end]
            start, end = clip(start, max(start + room, min([*later, ceiling])), window.speech)
            start = min(start, ceiling - room)
            end = max(end, start + room)
        words = place(segment.words, start, end, window.speech)
        confidence = segment.confidence
        if confidence is None and words:
            confidence = sum(w.confidence or 0.0 for w in words) / len(words)
        placed.append(
            Segment(
                start,
                end,
                segment.text,
                words=tuple(words),
                confidence=None if confidence is None else round(confidence, 4),
            )
        )
        floor = end
    return placed


def sound(samples: Samples) -> Samples:
    """Samples that native code can bear: finite, in -1..1, contiguous, long enough."""
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise JobError("audio_invalid", "The samples of a window are not finite numbers.")
    audio = np.clip(np.ascontiguousarray(samples, np.float32), -1.0, 1.0)
    if audio.size < MIN_SAMPLES:
        audio = np.concatenate((audio, np.zeros(MIN_SAMPLES - audio.size, np.float32)))
    return audio
