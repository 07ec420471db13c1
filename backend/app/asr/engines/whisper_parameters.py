"""Every parameter of a call of whisper.cpp, set anew for every call.

The library keeps what it was once told: a parameter that is left out is the last job's, perhaps another workspace's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import _pywhispercpp as whisper

TEMPERATURE_STEP = (
    0.4  # of whisper.cpp's own fallback and of each further attempt; two steps bound the worst case
)


@dataclass(frozen=True, slots=True)
class Call:
    """What differs from call to call. `language` "" means: find out. `prompt` has `prompt_tokens` tokens."""

    language: str
    translate: bool = False
    prompt: str = ""
    prompt_tokens: int = 0
    attempt: int = 0


def parameters(call: Call) -> Any:
    """The library's parameter object for one call."""
    p = whisper.whisper_full_default_params(whisper.whisper_sampling_strategy.WHISPER_SAMPLING_GREEDY)
    fill(p, call)
    return p


def fill(p: Any, call: Call) -> None:
    """Sets every attribute there is but `strategy`, which made the object, and `suppress_regex`: a new object has none,
    and an empty one is held against each token of the vocabulary at each step, which takes longer than the step.

    The prompt goes in whole and nothing else does: whisper.cpp reads `n_max_text_ctx` - 1 tokens, the prompt first, and
    would fill the rest with text of the call before. With 0 it would not read the prompt at all.
    """
    p.n_threads = 1
    p.n_max_text_ctx = call.prompt_tokens + 1 if call.prompt else 0
    p.offset_ms = 0
    p.duration_ms = 0
    p.translate = call.translate
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
    p.carry_initial_prompt = bool(call.prompt)
    p.initial_prompt = call.prompt
    p.clear_prompt_tokens()
    p.language = call.language
    p.detect_language = False
    p.suppress_blank = True
    p.suppress_nst = True
    p.temperature = min(call.attempt, 2) * TEMPERATURE_STEP
    p.temperature_inc = (
        TEMPERATURE_STEP if call.attempt else 0.0
    )  # the first time the gate judges, not the library
    p.max_initial_ts = 1.0
    p.length_penalty = -1.0
    p.entropy_thold = 2.4
    p.logprob_thold = -1.0
    p.no_speech_thold = 0.6
    p.greedy = {"best_of": 2}
    p.beam_search = {"beam_size": -1, "patience": -1.0}
    p.vad = False
    p.vad_model_path = ""
    p.vad_params = whisper.whisper_vad_default_params()
    for callback in ("new_segment", "progress", "encoder_begin", "abort", "logits_filter"):
        getattr(p, f"clear_{callback}_callback")()
