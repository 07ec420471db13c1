"""Whisper through faster-whisper and CTranslate2: int8 on a processor, half precision on CUDA.

The optional extra of that name brings the package. Runs only inside an engine process, and never asks the network:
the model is a folder on this disk.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # before the import below: the hub's client reads it once

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel

from app.asr import ctranslate
from app.asr.engines import prompts
from app.asr.engines.base import Samples
from app.asr.engines.placing import in_order, sound
from app.asr.engines.words import clip
from app.asr.types import EngineSpec, Segment, Window, WindowOptions, WindowResult, Word
from app.core.errors import JobError

_HINT_TOKENS = 223  # half of the decoder's 448, less a mark
_MIN_FRAMES = 100  # of 10 ms
_CUDA_TYPES = ("float16", "int8_float16", "float32")

logging.getLogger("faster_whisper").setLevel(logging.ERROR)


def create() -> FasterWhisper:
    """A new engine."""
    return FasterWhisper()


class FasterWhisper:
    """One model, one thread, greedy like whisper_cpp."""

    def __init__(self) -> None:
        self._model: _Model | None = None

    def load(self, spec: EngineSpec) -> None:
        """`spec.model_path` is a folder in CTranslate2's layout, `spec.device` "cpu", "cuda" or "auto"."""
        if spec.model_path is None:
            raise JobError("model_missing", "The engine faster_whisper needs a model.")
        folder = Path(spec.model_path)
        ctranslate.check_folder(folder)
        device, compute_type = _device(spec.device or "auto")
        try:
            self._model = _Model(
                os.fspath(folder),
                device=device,
                compute_type=compute_type,
                cpu_threads=1,
                num_workers=1,
                local_files_only=True,
            )
        except Exception as error:  # the tokenizers library raises nothing narrower
            raise JobError(
                "model_invalid", f"The CTranslate2 model {folder.name} could not be loaded ({error})."
            ) from error

    def transcribe(self, samples: Samples, window: Window, options: WindowOptions) -> WindowResult:
        """One window, everything told anew: no text of the call before, no voice detection of the package's own."""
        assert self._model is not None
        model = self._model
        began = time.monotonic()
        language = options.language
        if not model.model.is_multilingual:
            language = "en"
        elif language is not None and language not in model.supported_languages:
            raise JobError("engine_failed", f"Whisper does not know the language {language}.")
        ctranslate2.set_random_seed(options.attempt)  # the same window gets the same text whoever came before
        heard, info = model.transcribe(
            sound(samples),
            language=language,
            task="translate" if options.translate else "transcribe",
            log_progress=False,
            beam_size=1,
            best_of=2,
            temperature=_temperatures(options.attempt),
            compression_ratio_threshold=2.4,
            log_prob_threshold=-1.0,
            no_speech_threshold=0.6,
            condition_on_previous_text=False,
            initial_prompt=_hint(options, model) or None,
            hotwords=None,
            prefix=None,
            suppress_blank=True,
            suppress_tokens=model.silenced,
            without_timestamps=False,
            max_initial_timestamp=1.0,
            word_timestamps=True,
            multilingual=False,
            vad_filter=False,
        )
        segments = [_segment(part, window) for part in model.passes(heard)]
        placed = in_order([segment for segment in segments if segment.text], window)
        return WindowResult(
            segments=tuple(placed),
            language=info.language,
            engine_ms=round((time.monotonic() - began) * 1000),
        )


class _EndOfWindow(Exception):  # noqa: N818 - not an error
    """What is left of the window is too short to hear anything in."""


class _Model(WhisperModel):  # type: ignore[misc]  # the package has no types
    """Times by the model's own marks, and no last pass over less than a second: both as whisper.cpp does.

    After the last phrase the package listens to whatever is left: another full encoding, and on a stretch of some
    tenths of a second words that nobody said.
    """

    _first = True

    def passes(self, heard: Iterable[Any]) -> list[Any]:
        """All segments of a call of `transcribe`."""
        found = []
        self._first = True
        try:
            for part in heard:
                found.append(part)
        except _EndOfWindow:
            pass
        return found

    def encode(self, features: np.ndarray[Any, Any]) -> Any:
        """Features of one pass, shape (mels, frames); behind the sound they are padded with zeros."""
        frames = np.flatnonzero(features.any(axis=0))
        if not self._first and (not frames.size or frames[-1] + 1 < _MIN_FRAMES):
            raise _EndOfWindow
        self._first = False
        return super().encode(features)

    @cached_property
    def silenced(self) -> list[int]:
        """What is never said: -1 stands for notes and brackets, which a vocabulary that was cut does not have; then
        it is the start mark alone."""
        whole = bool(self.hf_tokenizer.encode("♪", add_special_tokens=False).ids)
        return [-1] if whole else [self.hf_tokenizer.token_to_id("<|startoftranscript|>")]

    def add_word_timestamps(self, segments: list[list[dict[str, Any]]], *others: Any, **more: Any) -> Any:
        """Words between the marks that the model itself set for their phrase.

        The package moves a phrase to its words instead. They are placed by attention heads that are known for the
        published models only; elsewhere phrases would overlap, or be dropped for having no length.
        """
        parts = [part for group in segments for part in group]
        marks = [(part["start"], part["end"]) for part in parts]
        last = super().add_word_timestamps(segments, *others, **more)
        for part, (start, end) in zip(parts, marks, strict=True):
            part["start"], part["end"] = start, end
            for word in part.get("words", ()):
                word["start"], word["end"] = (min(max(word[side], start), end) for side in ("start", "end"))
            if part.get("words"):
                part["words"][-1]["end"] = end  # where the next pass begins to listen
        return last

    def tokens(self, text: str) -> list[int]:
        """The text as the model's tokens."""
        text = text.strip()
        ids: list[int] = self.hf_tokenizer.encode(f" {text}", add_special_tokens=False).ids if text else []
        return ids


def _device(wanted: str) -> tuple[str, str]:
    """Device and type of computation. Raises JobError where CUDA is asked for and not here."""
    count = ctranslate2.get_cuda_device_count() if wanted != "cpu" else 0
    if wanted == "cuda" and not count:
        raise JobError(
            "engine_failed",
            "FASTER_WHISPER_DEVICE is cuda, but no CUDA device was found. Install the driver, or set it to cpu.",
        )
    if not count:
        return "cpu", "int8"
    able = ctranslate2.get_supported_compute_types("cuda")
    return "cuda", next((kind for kind in _CUDA_TYPES if kind in able), "default")


def _temperatures(attempt: int) -> tuple[float, ...]:
    """The certain text first; a window that is asked for again begins higher."""
    if attempt == 0:
        return 0.0, 0.4, 0.8
    first = min(1.0, 0.2 + 0.2 * attempt)
    return first, min(1.0, first + 0.4)


def _hint(options: WindowOptions, model: _Model) -> str:
    """What whisper_cpp is told, too: style and terms in one text that leaves the model room for the window's own."""
    return prompts.compose(
        options.prompt, options.vocabulary, _HINT_TOKENS, lambda text: len(model.tokens(text))
    )


def _segment(part: Any, window: Window) -> Segment:
    """A segment of the package, in seconds of the window, as ours on the recording's clock."""

    def at(seconds: float) -> int:
        return window.start_ms + round(float(seconds) * 1000)

    start, end = clip(at(part.start), min(max(at(part.end), at(part.start)), window.end_ms), window.speech)
    words = tuple(
        Word(word.word.strip(), at(word.start), at(word.end), round(float(word.probability), 4))
        for word in part.words or ()
        if word.word.strip()
    )
    sure = round(
        min(1.0, math.exp(part.avg_logprob)), 4
    )  # of the whole pass; that of words is after the fact
    return Segment(start, end, str(part.text).strip(), words=words, confidence=sure)
