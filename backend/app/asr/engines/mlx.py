"""Whisper through mlx-whisper on the graphics part of Apple silicon. Runs only inside an engine process.

The model is a folder on this disk that the operator names (MLX_MODEL): the package would take a name for one to
download.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # before the import below: the hub's client reads it once

import mlx_whisper

from app.asr.ctranslate import check_mlx_folder, is_multilingual
from app.asr.engines import prompts
from app.asr.engines.base import Samples
from app.asr.engines.placing import in_order, sound
from app.asr.engines.words import clip
from app.asr.languages import LANGUAGES
from app.asr.types import EngineSpec, Segment, Window, WindowOptions, WindowResult, Word
from app.core.errors import JobError

_HINT_CHARACTERS = 600  # the package cannot count before; less than the 223 tokens that the model takes


def create() -> Mlx:
    """A new engine."""
    return Mlx()


class Mlx:
    """One model, which the package keeps loaded after the first window."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._multilingual = True

    def load(self, spec: EngineSpec) -> None:
        """Checks the folder; the package reads it with the first window."""
        if spec.model_path is None:
            raise JobError("model_missing", "The engine mlx needs a model: MLX_MODEL names its folder.")
        folder = Path(spec.model_path)
        check_mlx_folder(folder)
        self._folder, self._multilingual = folder, is_multilingual(folder)

    def transcribe(self, samples: Samples, window: Window, options: WindowOptions) -> WindowResult:
        """One window, everything told anew: no text of the call before."""
        assert self._folder is not None
        began = time.monotonic()
        language = options.language if self._multilingual else "en"
        if language is not None and language not in LANGUAGES:
            raise JobError("engine_failed", f"Whisper does not know the language {language}.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that times of translated words are approximate
            heard = mlx_whisper.transcribe(
                sound(samples),
                path_or_hf_repo=os.fspath(self._folder),
                verbose=None,
                temperature=(0.0, 0.4, 0.8) if options.attempt == 0 else (0.4, 0.8),
                compression_ratio_threshold=2.4,
                logprob_threshold=-1.0,
                no_speech_threshold=0.6,
                condition_on_previous_text=False,
                initial_prompt=prompts.compose(options.prompt, options.vocabulary, _HINT_CHARACTERS, len)
                or None,
                word_timestamps=True,
                language=language,
                task="translate" if options.translate else "transcribe",
                fp16=True,
            )
        segments = [_segment(part, window) for part in heard["segments"]]
        placed = in_order([segment for segment in segments if segment.text], window)
        return WindowResult(
            segments=tuple(placed),
            language=heard["language"],
            engine_ms=round((time.monotonic() - began) * 1000),
        )


def _segment(part: dict[str, Any], window: Window) -> Segment:
    """A segment of the package, in seconds of the window, as ours on the recording's clock."""

    def at(seconds: float) -> int:
        return window.start_ms + round(float(seconds) * 1000)

    begin = at(part["start"])
    start, end = clip(begin, min(max(at(part["end"]), begin), window.end_ms), window.speech)
    words = tuple(
        Word(
            word["word"].strip(),
            at(word["start"]),
            at(word["end"]),
            round(float(word["probability"]), 4),
        )
        for word in part.get("words", ())
        if word["word"].strip()
    )
    sure = round(min(1.0, math.exp(float(part["avg_logprob"]))), 4)
    return Segment(start, end, str(part["text"]).strip(), words=words, confidence=sure)
