"""Whisper through pywhispercpp's binding of whisper.cpp. Runs only inside an engine process.

The binding is used below its Model class: that one keeps parameters from call to call, ignores return codes, and
may download a model by name.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import _pywhispercpp as whisper

from app.asr.engines import cpu
from app.asr.engines.base import Samples
from app.asr.engines.placing import in_order, sound
from app.asr.engines.words import Token, clip, merge
from app.asr.models import ggml
from app.asr.types import EngineSpec, Segment, Window, WindowOptions, WindowResult
from app.core.errors import JobError

_TICK_MS = 10


def create() -> WhisperCpp:
    """A new engine."""
    return WhisperCpp()


class WhisperCpp:
    """One model in one thread."""

    def __init__(self) -> None:
        self._context: Any = None
        self._english_only = False

    def load(self, spec: EngineSpec) -> None:
        """Checks processor and file before native code sees them: it crashes on a broken model."""
        if spec.model_path is None:
            raise JobError("model_missing", "The engine whisper_cpp needs a model file.")
        cpu.check()
        header = ggml.check(Path(spec.model_path))
        self._english_only = not header.multilingual
        parameters = whisper.whisper_context_default_params()
        parameters.use_gpu = False
        # Measured (docs/adr/0009): with the kernels of `make native` flash attention costs more than it saves.
        parameters.flash_attn = "LLAMAFILE = 1" not in whisper.whisper_print_system_info()
        self._context = whisper.whisper_init_from_file_with_params(os.fspath(spec.model_path), parameters)
        if self._context is None:
            raise JobError("model_invalid", "The model file could not be loaded.")

    def transcribe(self, samples: Samples, window: Window, options: WindowOptions) -> WindowResult:
        """One call of whisper_full: nothing is carried over from the call before."""
        began = time.monotonic()
        audio = sound(samples)
        wanted = "en" if self._english_only else options.language or ""
        if wanted and whisper.whisper_lang_id(wanted) < 0:
            raise JobError("engine_failed", f"Whisper does not know the language {wanted}.")
        code = whisper.whisper_full(self._context, _parameters(wanted, options), audio, audio.size)
        if code != 0:
            raise JobError("engine_failed", f"whisper.cpp gave up on a window (code {code}).", retryable=True)
        heard = wanted or whisper.whisper_lang_str(whisper.whisper_full_lang_id(self._context))
        count = whisper.whisper_full_n_segments(self._context)
        segments = [self._segment(index, window, heard) for index in range(count)]
        return WindowResult(
            segments=tuple(in_order([s for s in segments if s], window)),
            language=heard,
            engine_ms=round((time.monotonic() - began) * 1000),
        )

    def _segment(self, index: int, window: Window, language: str) -> Segment | None:
        context = self._context
        end_of_text = whisper.whisper_token_eot(context)
        tokens = []
        for at in range(whisper.whisper_full_n_tokens(context, index)):
            data = whisper.whisper_full_get_token_data(context, index, at)
            if data.id < end_of_text:  # above are timestamps and other marks
                tokens.append(
                    Token(
                        whisper.whisper_token_to_bytes(context, data.id),
                        data.p,
                        window.start_ms + data.t0 * _TICK_MS,
                        window.start_ms + data.t1 * _TICK_MS,
                    )
                )
        text = b"".join(token.data for token in tokens).decode("utf-8", "replace").strip()
        if not text:
            return None
        start = window.start_ms + whisper.whisper_full_get_segment_t0(context, index) * _TICK_MS
        end = window.start_ms + whisper.whisper_full_get_segment_t1(context, index) * _TICK_MS
        start, end = clip(max(start, window.start_ms), min(max(end, start), window.end_ms), window.speech)
        return Segment(start, end, text, words=tuple(merge(tokens, language)))


def _parameters(language: str, options: WindowOptions) -> Any:
    """Every parameter, new for every call: what is not set here would be whatever the library likes."""
    p = whisper.whisper_full_default_params(whisper.whisper_sampling_strategy.WHISPER_SAMPLING_GREEDY)
    p.n_threads = 1
    p.n_max_text_ctx = 0
    p.offset_ms = 0
    p.duration_ms = 0
    p.translate = options.translate
    p.no_context = True
    p.no_timestamps = False
    p.single_segment = False
    p.print_special = False
    p.print_progress = False
    p.print_realtime = False
    p.print_timestamps = False
    p.token_timestamps = True
    p.thold_pt = 0.01
    p.thold_ptsum = 0.01
    p.max_len = 0
    p.split_on_word = False
    p.max_tokens = 0
    p.debug_mode = False
    p.audio_ctx = 0
    p.tdrz_enable = False
    p.carry_initial_prompt = False
    p.initial_prompt = ""
    p.clear_prompt_tokens()
    p.language = language
    p.detect_language = False
    p.suppress_blank = True
    p.suppress_nst = True
    p.suppress_regex = ""
    p.temperature = 0.0
    p.temperature_inc = 0.4
    p.max_initial_ts = 1.0
    p.length_penalty = -1.0
    p.entropy_thold = 2.4
    p.logprob_thold = -1.0
    p.no_speech_thold = 0.6
    p.greedy = {"best_of": 2}
    p.beam_search = {"beam_size": -1, "patience": -1.0}
    p.vad = False
    return p
