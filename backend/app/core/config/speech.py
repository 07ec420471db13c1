"""Engines, models and how much of the machine they may take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from app.core.config.base import Group, absolute, split_commas

AUTOMATIC_ENGINES = frozenset(
    {"mlx", "whisper_cpp", "faster_whisper", "assemblyai", "openai", "pocketsphinx"}
)


class SpeechSettings(Group):
    """Engines, models and how much of the machine they may take."""

    transcription_backend: str = Field(
        "auto",
        pattern="^(auto|whisper_cpp|faster_whisper|mlx|assemblyai|openai|pocketsphinx|stub)$",
        description="auto, or one engine: whisper_cpp, faster_whisper, mlx, assemblyai, openai, pocketsphinx, stub.",
    )
    engines: Annotated[tuple[str, ...], NoDecode] = Field(
        ("mlx", "whisper_cpp", "assemblyai", "openai", "pocketsphinx"),
        description="Order in which auto tries the engines, separated by commas. What is not here is passed over.",
    )
    whisper_model: str = Field(
        "base-q8_0",
        description="Model by name (`transcribe models list`), or the path of a ggml file of your own.",
    )
    models_dir: Path | None = Field(None, description="Folder of model files. Empty: DATA_DIR/models.")
    model_base_url: str = Field(
        "https://huggingface.co", description="Where models are downloaded from, or a mirror of it."
    )
    model_auto_download: bool = Field(True, description="Fetch WHISPER_MODEL by itself when it is missing.")
    whisper_word_times: str = Field(
        "tokens",
        pattern="^(tokens|dtw)$",
        description="tokens, or dtw: word times by alignment, about an eighth slower and 140 MB more a process.",
    )
    faster_whisper_model: str = Field(
        "",
        description="Folder of a CTranslate2 model for faster_whisper. Empty: WHISPER_MODEL, converted once.",
    )
    faster_whisper_device: str = Field(
        "auto", pattern="^(auto|cpu|cuda)$", description="auto, cpu or cuda, for faster_whisper."
    )
    mlx_model: str = Field(
        "",
        description="Folder of a Whisper model in MLX's layout, for mlx (Apple silicon). Empty: mlx is off.",
    )
    diarization_model: str = Field(
        "nemo_en_titanet_small",
        description="Model that tells voices apart in a recording with one channel (`transcribe models list`).",
    )
    max_speakers: int = Field(
        8, ge=1, le=32, description="Most speakers looked for where a job does not say how many there are."
    )
    result_cache: bool = Field(
        True,
        description="Give the stored text where a workspace sends the same recording with the same options.",
    )
    max_parallel_transcriptions: int = Field(
        3, ge=1, le=64, description="Jobs that one process works on at a time."
    )
    engine_processes: int = Field(
        0,
        ge=0,
        le=256,
        description="Engine processes, one thread each. 0: one a core, never more than memory allows.",
    )
    engine_idle_seconds: float = Field(
        300, ge=0, description="An idle engine process gives its memory back after this time."
    )
    engine_window_timeout_seconds: float = Field(
        300,
        gt=0,
        description="An engine that needs longer for a window of 30 s is stopped. Models larger than base get more.",
    )

    _engines = field_validator("engines", mode="before")(split_commas)

    @field_validator("engines")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = set(value) - AUTOMATIC_ENGINES
        if unknown:
            raise ValueError(f"unknown engines: {', '.join(sorted(unknown))}")
        return value

    _models_dir = field_validator("models_dir", mode="after")(absolute)
