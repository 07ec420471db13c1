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

from app.asr.engines import alignment, cpu, prompts
from app.asr.engines.base import Samples
from app.asr.engines.placing import in_order, sound
from app.asr.engines.whisper_parameters import Call, parameters
from app.asr.engines.words import Token, clip, merge
from app.asr.models import ggml
from app.asr.types import DTW, EngineSpec, Segment, Window, WindowOptions, WindowResult
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
        self._aligned = False
        self._heads: alignment.Heads | None = None
        self._path = ""
        self._drawn = False  # whether the context's random numbers have been used

    def load(self, spec: EngineSpec) -> None:
        """Checks processor and file before native code sees them: it crashes on a broken model."""
        if spec.model_path is None:
            raise JobError("model_missing", "The engine whisper_cpp needs a model file.")
        cpu.check()
        header = ggml.check(Path(spec.model_path))
        self._english_only = not header.multilingual
        self._aligned = spec.word_times == DTW
        self._heads = alignment.heads(header) if self._aligned else None
        self._path = os.fspath(spec.model_path)
        self._open()

    def _open(self) -> None:
        """A new context: weights and state."""
        settings = whisper.whisper_context_default_params()
        settings.use_gpu = False
        # Measured (docs/adr/0009): with the kernels of `make native` flash attention costs more than it saves.
        settings.flash_attn = "LLAMAFILE = 1" not in whisper.whisper_print_system_info()
        if self._heads is not None:
            _align(settings, self._heads)
        if self._context is not None:
            whisper.whisper_free(self._context)
        self._drawn = False
        self._context = whisper.whisper_init_from_file_with_params(self._path, settings)
        if self._context is None:
            raise JobError("model_invalid", "The model file could not be loaded.")

    def transcribe(self, samples: Samples, window: Window, options: WindowOptions) -> WindowResult:
        """One call of whisper_full: nothing is carried over from the call before.

        whisper.cpp seeds its random numbers once for a context. Without a temperature none are drawn; a further attempt
        draws some, and gets a new context first where one before it did: its text, too, depends on nothing else.
        A model that knows English only has nothing to translate: there the option changes nothing.
        """
        began = time.monotonic()
        audio = sound(samples)
        if options.attempt:
            if self._drawn:
                self._open()
            self._drawn = True
        wanted = "en" if self._english_only else options.language or ""
        if wanted and whisper.whisper_lang_id(wanted) < 0:
            raise JobError("engine_failed", f"Whisper does not know the language {wanted}.")
        code = whisper.whisper_full(self._context, parameters(self._call(wanted, options)), audio, audio.size)
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

    def _call(self, language: str, options: WindowOptions) -> Call:
        """The options in whisper.cpp's terms. Half of the decoder's context is for the prompt, less its mark."""
        budget = whisper.whisper_n_text_ctx(self._context) // 2 - 1
        prompt = prompts.compose(options.prompt, options.vocabulary, budget, self._count)
        translate = options.translate and not self._english_only
        return Call(language, translate, prompt, self._count(prompt), options.attempt)

    def _count(self, text: str) -> int:
        """How many tokens a text has: asked for none of them, the library answers with their number below zero."""
        return -int(whisper.whisper_tokenize(self._context, text, 0, 0))

    def _segment(self, index: int, window: Window, language: str) -> Segment | None:
        context = self._context
        start = window.start_ms + whisper.whisper_full_get_segment_t0(context, index) * _TICK_MS
        end = window.start_ms + whisper.whisper_full_get_segment_t1(context, index) * _TICK_MS
        tokens = self._tokens(index, window.start_ms, start, end)
        text = b"".join(token.data for token in tokens).decode("utf-8", "replace").strip()
        if not text:
            return None
        start, end = clip(max(start, window.start_ms), min(max(end, start), window.end_ms), window.speech)
        return Segment(start, end, text, words=tuple(merge(tokens, language)))

    def _tokens(self, index: int, offset_ms: int, start_ms: int, end_ms: int) -> list[Token]:
        """The text tokens of a segment. By alignment only their starts are known: each ends where the next begins, and
        the first begins with the segment, whose own time is the better one."""
        context = self._context
        end_of_text = whisper.whisper_token_eot(context)
        count = whisper.whisper_full_n_tokens(context, index)
        data = [whisper.whisper_full_get_token_data(context, index, at) for at in range(count)]
        data = [token for token in data if token.id < end_of_text]  # above are timestamps and other marks
        spans = [(offset_ms + token.t0 * _TICK_MS, offset_ms + token.t1 * _TICK_MS) for token in data]
        if self._aligned and all(token.t_dtw >= 0 for token in data):
            starts = [offset_ms + token.t_dtw * _TICK_MS for token in data]
            spans = list(zip([start_ms, *starts[1:]], [*starts[1:], end_ms], strict=False))
        return [
            Token(whisper.whisper_token_to_bytes(context, token.id), token.p, start, end)
            for token, (start, end) in zip(data, spans, strict=True)
        ]


def _align(settings: Any, heads: alignment.Heads) -> None:
    """Asks for word times by alignment. Flash attention would switch it off silently."""
    settings.flash_attn = False
    settings.dtw_token_timestamps = True
    settings.dtw_aheads_preset = getattr(whisper, f"WHISPER_AHEADS_{heads.preset}")
    settings.dtw_n_top = heads.layers
    settings.dtw_mem_size = heads.memory
