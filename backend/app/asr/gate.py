"""The quality gate: asks an engine about a window, judges the answer, asks once more where it fails.

Runs in the engine's process, which has the samples. What still fails is kept with its flags; only text with no
speech under it is taken out, because it is a transcript of nothing. docs/adr/0007-quality-gate.md has the reasons.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from app.asr import coverage, quality, stitching
from app.asr.engines.base import RATE, Engine, Samples
from app.asr.engines.words import clip_segment
from app.asr.types import Window, WindowOptions, WindowResult
from app.core.errors import JobError

# Flags of text that is worth nothing: it neither counts in a comparison nor fills a gap.
WORTHLESS = frozenset({"loop", "too_fast", "no_speech", "language_flip"})
MIN_LOG_CONFIDENCE = -1.0  # mean over the text; Whisper's own bound for another temperature
LOW_WEIGHT = 0.25  # of a second of text with low confidence, against one that is fine
SILENT_PEAK = 33 / 32768  # -60 dBFS: quieter than the noise of a good microphone in an empty room
MAX_GAP_RUNS = 3  # each costs as much as a window
GAP_RUN_MS = (
    1_000  # half of what is reported: a short sentence that the engine passed over is worth a second look
)
PAD_MS = 250  # of silence at a cut, as the cutter of windows leaves (CutSettings.pad_ms)
WHOLE_SHARE = 0.9  # a cut that is as good as the whole window would be answered the same again
MIN_CUT_MS = 200
LONG_SILENCE_MS = 1_000  # what is left away of one at a cut; noise there is what engines invent text on
SHARE_OF_TIME = 0.75


def hear(
    engine: Engine, samples: Samples, window: Window, options: WindowOptions, seconds: float = 300.0
) -> WindowResult:
    """What the engine hears in a window, reviewed. `seconds` is the caller's deadline: near it nothing is repeated.

    Raises what the engine's first call raises; a repetition that fails changes nothing.
    """
    if not window.speech and float(np.abs(samples).max(initial=0.0)) < SILENT_PEAK:
        return WindowResult(covered_ms=window.duration_ms)  # digital silence, and engines invent text on it
    return _Hearing(engine, samples, window, options, seconds).run()


def assess(result: WindowResult, window: Window, language: str | None = None) -> WindowResult:
    """Flags and coverage for an answer that cannot be asked for again, as from a provider. Nothing is taken out."""
    segments = tuple(quality.review(result.segments, window, language))
    return coverage.assess(window, replace(result, segments=segments))


class _Hearing:
    """One window on its way through the gate."""

    def __init__(
        self, engine: Engine, samples: Samples, window: Window, options: WindowOptions, seconds: float
    ) -> None:
        self._engine = engine
        self._samples = samples
        self._window = window
        self._options = options
        self._seconds = seconds
        self._began = time.monotonic()
        self._slowest = 0.0  # seconds of one call
        self._calls = 0

    def run(self) -> WindowResult:
        window = self._window
        first = self._ask(window, self._options)
        reruns = 0
        best = first
        if first.language is not None and first.segments:  # a repetition is not to choose another one
            self._options = replace(self._options, language=first.language)
        if self._fails(first) and self._has_time():
            reruns += 1
            second = self._again(first)
            best = max(first, second, key=_score) if second is not None else first
        segments = [segment for segment in best.segments if "no_speech" not in segment.flags]
        invented = len(best.segments) - len(segments)
        language = best.language
        for gap in coverage.measure(window, segments, GAP_RUN_MS)[1][:MAX_GAP_RUNS]:
            if not self._has_time():
                break
            reruns += 1
            answer = self._listen_to(gap)
            if answer is not None:
                found = [segment for segment in answer.segments if WORTHLESS.isdisjoint(segment.flags)]
                language = language if segments or not found else answer.language
                segments = stitching.fill(segments, found, gap, language)
        result = WindowResult(
            segments=tuple(segments),
            language=language,
            engine_ms=round((time.monotonic() - self._began) * 1000),
            reruns=reruns,
            invented=invented,
        )
        return coverage.assess(window, result)

    def _has_time(self) -> bool:
        """Whether one more call, as slow as the slowest yet, would end well before the deadline."""
        spent = time.monotonic() - self._began
        return spent + self._slowest <= self._seconds * SHARE_OF_TIME

    def _ask(self, window: Window, options: WindowOptions) -> WindowResult:
        """One call of the engine, its words clipped to speech and its segments flagged."""
        began = time.monotonic()
        offset = (window.start_ms - self._window.start_ms) * RATE // 1000
        length = window.duration_ms * RATE // 1000
        whole = window.duration_ms == self._window.duration_ms
        samples = self._samples if whole else self._samples[offset : offset + length]
        result = self._engine.transcribe(samples, window, options)
        self._slowest = max(self._slowest, time.monotonic() - began)
        self._calls += 1
        language = "en" if options.translate else options.language
        segments = [clip_segment(segment, window.speech) for segment in result.segments]
        return replace(result, segments=tuple(quality.review(segments, window, language)))

    def _try(self, window: Window, options: WindowOptions) -> WindowResult | None:
        try:
            return self._ask(window, options)
        except JobError:
            return None

    def _fails(self, result: WindowResult) -> bool:
        """Whether it is worth asking again: a flag that says so, or most words are guesses."""
        flags = {flag for segment in result.segments for flag in segment.flags}
        if flags & {"loop", "too_fast", "language_flip"}:
            return True
        if "no_speech" in flags:  # invented, unless it is the misplaced text of speech that has none
            placed = [segment for segment in result.segments if "no_speech" not in segment.flags]
            return bool(coverage.measure(self._window, placed, GAP_RUN_MS)[1])
        sure = [(len(s.text), s.confidence) for s in result.segments if s.confidence is not None]
        logs = sum(length * math.log(max(confidence, 1e-6)) for length, confidence in sure)
        return logs < MIN_LOG_CONFIDENCE * sum(length for length, _ in sure)

    def _again(self, first: WindowResult) -> WindowResult | None:
        """The window in two halves where a silence parts it, else the whole at another temperature. Where the halves
        leave no long silence away, the one that failed gets another temperature, too: it is heard as before."""
        other = replace(self._options, attempt=self._options.attempt + 1)
        parts = halves(self._window)
        if parts is None:
            return self._try(self._window, other)
        shorter = parts[1].start_ms - parts[0].end_ms >= LONG_SILENCE_MS
        answers = []
        for part in parts:
            bad = any(
                segment.start_ms < part.end_ms and segment.end_ms > part.start_ms
                for segment in first.segments
                if not WORTHLESS.isdisjoint(segment.flags)
            )
            answer = self._try(part, other if bad and not shorter else self._options)
            if answer is None:
                return None
            answers.append(answer)
        segments = tuple(segment for answer in answers for segment in answer.segments)
        whole = quality.review(segments, self._window, None)
        return replace(answers[0], segments=tuple(whole), language=first.language or answers[0].language)

    def _listen_to(self, gap: coverage.Region) -> WindowResult | None:
        """The gap as a window of its own."""
        window = self._window
        part = part_of(window, max(window.start_ms, gap[0] - PAD_MS), min(window.end_ms, gap[1] + PAD_MS))
        same = part.duration_ms >= WHOLE_SHARE * window.duration_ms
        options = replace(self._options, attempt=self._options.attempt + 1) if same else self._options
        return self._try(part, options)


def _score(result: WindowResult) -> tuple[float, int, float]:
    """How good an answer is: ms of text without a fault first, then little faulty text, then confidence."""
    good, bad, confidence = 0.0, 0, 0.0
    for segment in result.segments:
        length = segment.end_ms - segment.start_ms
        if not WORTHLESS.isdisjoint(segment.flags):
            bad += len(segment.text)
            continue
        weight = LOW_WEIGHT if "low_confidence" in segment.flags else 1.0
        good += weight * length
        confidence += length * (1.0 if segment.confidence is None else segment.confidence)
    return good, -bad, confidence


def halves(window: Window) -> tuple[Window, Window] | None:
    """The window cut in its longest inner silence, most of which neither half gets; None where there is none of
    MIN_CUT_MS between a fifth and four fifths of the window."""
    earliest = window.start_ms + window.duration_ms // 5
    latest = window.end_ms - window.duration_ms // 5
    silences = [
        (low, high)
        for (_, low), (high, _) in zip(window.speech, window.speech[1:], strict=False)
        if high - low >= MIN_CUT_MS and earliest <= (low + high) // 2 <= latest
    ]
    if not silences:
        return None
    low, high = max(silences, key=lambda silence: silence[1] - silence[0])
    pad = min(PAD_MS, (high - low) // 2)
    return part_of(window, window.start_ms, low + pad), part_of(window, high - pad, window.end_ms)


def part_of(window: Window, start_ms: int, end_ms: int) -> Window:
    """A stretch of the window with the speech that is inside."""
    speech = tuple(
        (max(start, start_ms), min(end, end_ms))
        for start, end in window.speech
        if start < end_ms and end > start_ms
    )
    hard_cut = window.hard_cut and end_ms == window.end_ms
    return replace(window, start_ms=start_ms, end_ms=end_ms, speech=speech, hard_cut=hard_cut)
