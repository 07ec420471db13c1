"""PocketSphinx with the English model of its package: the last resort without network. Low accuracy.

Whole utterances only: fed piecewise it makes three to four times as many errors (no normalisation over the
utterance).
"""

from __future__ import annotations

import time

import numpy as np
from pocketsphinx import Decoder

from app.asr.engines.base import RATE, Samples
from app.asr.engines.words import fit
from app.asr.types import EngineSpec, Segment, Window, WindowOptions, WindowResult, Word

_FRAME_MS = 10
_PAUSE_MS = 700
_FILLERS = ("<", "[", "+")


def create() -> PocketSphinx:
    """A new engine."""
    return PocketSphinx()


class PocketSphinx:
    """One decoder, one utterance per speech region, or per window where no regions are known."""

    def __init__(self) -> None:
        self._decoder: Decoder | None = None

    def load(self, spec: EngineSpec) -> None:  # noqa: ARG002 - the Protocol's shape
        """Loads the model inside the package; nothing of `spec` is needed."""
        self._decoder = Decoder(samprate=RATE, loglevel="FATAL")

    def transcribe(self, samples: Samples, window: Window, options: WindowOptions) -> WindowResult:  # noqa: ARG002 - as above
        """The window as one utterance; phrases end at pauses."""
        assert self._decoder is not None
        began = time.monotonic()
        pcm = (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2")
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(pcm.tobytes(), full_utt=True)
        finally:
            self._decoder.end_utt()
        words = fit(self._words(window), window.start_ms, window.end_ms, window.speech)
        return WindowResult(
            segments=tuple(_phrases(words)),
            language="en",
            engine_ms=round((time.monotonic() - began) * 1000),
        )

    def _words(self, window: Window) -> list[Word]:
        """Without confidence: with whole utterances the decoder claims 1.0 for everything."""
        assert self._decoder is not None
        words = []
        for part in self._decoder.seg() or ():
            if part.word.startswith(_FILLERS):
                continue
            words.append(
                Word(
                    text=part.word.partition("(")[0],  # "the(2)" is another pronunciation of "the"
                    start_ms=window.start_ms + part.start_frame * _FRAME_MS,
                    end_ms=window.start_ms + (part.end_frame + 1) * _FRAME_MS,
                )
            )
        return words


def _phrases(words: list[Word]) -> list[Segment]:
    """Segments that end where the speaker pauses."""
    groups: list[list[Word]] = []
    for word in words:
        if not groups or word.start_ms - groups[-1][-1].end_ms >= _PAUSE_MS:
            groups.append([])
        groups[-1].append(word)
    return [
        Segment(
            start_ms=group[0].start_ms,
            end_ms=group[-1].end_ms,
            text=" ".join(word.text for word in group),
            words=tuple(group),
        )
        for group in groups
    ]
