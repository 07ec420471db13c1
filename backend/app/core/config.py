"""Settings from environment variables (and `.env` beside the Makefile), in groups; every variable is described.

A field's name in lower case is its variable's name. docs/deployment/config.md and .env.example are held equal to
this file by a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core.addresses import is_loopback

PROJECT_ROOT = Path(__file__).resolve().parents[3]


class Environment(StrEnum):
    """`local`: a laptop or home server, secrets make themselves. `prod`: refuses what is missing or weak."""

    LOCAL = "local"
    TEST = "test"
    PROD = "prod"


AUTOMATIC_ENGINES = frozenset(
    {"mlx", "whisper_cpp", "faster_whisper", "assemblyai", "openai", "pocketsphinx"}
)


class _Group(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)


def _absolute(value: object) -> object:
    """Relative paths stand from the project's root, whatever folder the process was started in."""
    return PROJECT_ROOT / str(value) if value else value


class ServerSettings(_Group):
    """Where the server listens and how it is reached."""

    env: Environment = Field(
        Environment.LOCAL, description="local, test or prod. prod refuses missing or weak secrets."
    )
    host: str = Field(
        "127.0.0.1", description="Address to listen on. 0.0.0.0 opens the server to the network."
    )
    port: int = Field(8000, ge=1, le=65535, description="Port for API and pages.")
    public_url: str = Field(
        "",
        description="Address that people and signed URLs use, as https://transcribe.example.org. Empty: the request's own.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Other origins whose pages may call the API, separated by commas."
    )
    data_dir: Path = Field(
        Path("data"), description="Folder for everything the server keeps: database, files, models, secrets."
    )
    shutdown_seconds: float = Field(
        20,
        gt=0,
        le=28,
        description="How long a stopping server lets running windows end before it hands their jobs back.",
    )
    log_format: str = Field(
        "auto",
        pattern="^(auto|json|console)$",
        description="auto (console on a terminal, else json), json, console.",
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR."
    )

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("public_url")
    @classmethod
    def _bare(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    _data_dir = field_validator("data_dir", mode="after")(_absolute)

    @property
    def listens_on_loopback(self) -> bool:
        """True where only this machine can reach the server."""
        return is_loopback(self.host)


class DatabaseSettings(_Group):
    """Where rows live."""

    database_url: str = Field(
        "", description="postgresql://user:password@host/name, or empty for SQLite in DATA_DIR."
    )

    @field_validator("database_url")
    @classmethod
    def _supported(cls, value: str) -> str:
        if value and not value.startswith(
            ("postgresql://", "postgresql+asyncpg://", "postgres://", "sqlite")
        ):
            raise ValueError("must begin with postgresql:// or sqlite:///")
        return value

    database_pool_size: int = Field(
        10, ge=1, le=200, description="Postgres connections that one process keeps."
    )
    database_slow_ms: int = Field(
        500, ge=0, description="Queries slower than this many milliseconds are logged. 0: none."
    )


class IdentitySettings(_Group):
    """Accounts, passwords and tokens."""

    jwt_secret_key: SecretStr = Field(
        SecretStr(""),
        description="Key that signs tokens and URLs, 32 bytes or more. Empty: made once in DATA_DIR (never in prod).",
    )
    jwt_algorithm: str = Field("HS256", pattern="^HS(256|384|512)$", description="HS256, HS384 or HS512.")
    access_token_expire_minutes: int = Field(10, ge=1, le=60, description="Life of an access token.")
    refresh_token_expire_days: int = Field(
        30, ge=1, le=365, description="How long a sign-in lasts without use."
    )
    allow_registration: bool = Field(
        True, description="false: nobody can register; `transcribe admin create` still works."
    )
    password_min_length: int = Field(12, ge=8, le=128, description="Characters a new password must have.")


class StorageSettings(_Group):
    """Where recordings live and how large they may be."""

    storage_backend: str = Field("local", pattern="^local$", description="local: files in LOCAL_STORAGE_DIR.")
    local_storage_dir: Path | None = Field(
        None, description="Folder of the local store. Empty: DATA_DIR/storage."
    )
    max_file_bytes: int = Field(5 * 1024**3, ge=1, description="Largest upload, in bytes (5 GiB).")
    max_audio_seconds: int = Field(
        43200, ge=1, description="Longest recording, measured on decoded samples (12 hours)."
    )
    url_ttl_seconds: int = Field(900, ge=5, le=86400, description="Life of signed upload and download URLs.")
    upload_ttl_hours: int = Field(
        24, ge=1, le=720, description="An upload that is not completed is dropped after this time."
    )

    _local_storage_dir = field_validator("local_storage_dir", mode="after")(_absolute)


class SpeechSettings(_Group):
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

    @field_validator("engines", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("engines")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = set(value) - AUTOMATIC_ENGINES
        if unknown:
            raise ValueError(f"unknown engines: {', '.join(sorted(unknown))}")
        return value

    _models_dir = field_validator("models_dir", mode="after")(_absolute)


class CloudSettings(_Group):
    """Providers that may hear recordings, and how much of them."""

    assemblyai_api_key: SecretStr = Field(
        SecretStr(""), description="Key of AssemblyAI. Empty: the engine assemblyai is off."
    )
    assemblyai_base_url: str = Field(
        "https://api.assemblyai.com", description="https://api.eu.assemblyai.com keeps recordings in the EU."
    )
    assemblyai_speech_models: Annotated[tuple[str, ...], NoDecode] = Field(
        ("universal-3-5-pro", "universal-2"),
        description="Models asked for, the best first, separated by commas.",
    )
    assemblyai_usd_per_hour: float = Field(
        0.21, ge=0, description="Price of an hour of audio, for CLOUD_DAILY_SPEND_USD."
    )
    openai_api_key: SecretStr = Field(
        SecretStr(""),
        description="Key of OpenAI or a compatible server. Empty: the engine openai is off, unless OPENAI_BASE_URL is set.",
    )
    openai_base_url: str = Field(
        "", description="Any OpenAI-compatible address ending in /v1. Empty: OpenAI's own."
    )
    openai_model: str = Field("whisper-1", description="Model that the engine openai asks for.")
    openai_usd_per_hour: float = Field(
        0.36, ge=0, description="Price of an hour of audio, for CLOUD_DAILY_SPEND_USD."
    )
    cloud_daily_limit: int = Field(
        100, ge=0, description="Calls to providers that this server makes in 24 hours. 0: none."
    )
    cloud_daily_spend_usd: float = Field(
        0,
        ge=0,
        description="Most that the calls of 24 hours may be expected to cost, in US dollars. 0: no limit.",
    )
    cloud_concurrency: int = Field(4, ge=1, le=64, description="Calls to one provider at a time.")
    cloud_timeout_seconds: float = Field(
        600, gt=0, description="How long one request to a provider may take, with the upload of the audio."
    )

    @field_validator("assemblyai_speech_models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("assemblyai_base_url", "openai_base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")


GROUPS: dict[str, type[_Group]] = {
    "server": ServerSettings,
    "database": DatabaseSettings,
    "identity": IdentitySettings,
    "storage": StorageSettings,
    "speech": SpeechSettings,
    "cloud": CloudSettings,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """All groups; built once in the factory and passed down."""

    server: ServerSettings
    database: DatabaseSettings
    identity: IdentitySettings
    storage: StorageSettings
    speech: SpeechSettings
    cloud: CloudSettings

    @classmethod
    def load(cls, env_file: Path | None = PROJECT_ROOT / ".env") -> Settings:
        """Environment first, then the file, then the defaults. Raises pydantic's ValidationError."""
        file = env_file if env_file is not None and env_file.is_file() else None
        return cls(**{name: group(_env_file=file) for name, group in GROUPS.items()})  # type: ignore[arg-type]

    @property
    def database_url(self) -> str:
        """SQLAlchemy's async URL; plain postgres:// forms are understood."""
        url = self.database.database_url
        if not url:
            return f"sqlite+aiosqlite:///{self.server.data_dir / 'transcribe.db'}"
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                return "postgresql+asyncpg://" + url.removeprefix(plain)
        return url.replace("sqlite://", "sqlite+aiosqlite://", 1) if url.startswith("sqlite://") else url

    @property
    def storage_dir(self) -> Path:
        return self.storage.local_storage_dir or self.server.data_dir / "storage"

    @property
    def models_dir(self) -> Path:
        return self.speech.models_dir or self.server.data_dir / "models"
