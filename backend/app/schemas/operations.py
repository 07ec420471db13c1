"""What operators and clients ask of the server itself: health, readiness, limits, engines, models, languages."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field


class EngineOption(BaseModel):
    name: str
    available: bool
    low_accuracy: bool
    cloud: bool = Field(description="The recording leaves this server for a provider.")
    words: bool = Field(description="It gives times for each word.")
    speakers: bool = Field(description="It tells speakers apart in a recording with one channel.")
    translates: bool = Field(description="It can write English whatever is spoken.")
    models: list[str] | None = Field(description="Names of the models it takes; null: those of `models`.")
    reason: str | None = Field(None, description="Why it cannot be used now.")


class ModelOption(BaseModel):
    name: str
    bytes: int
    installed: bool
    default: bool
    multilingual: bool


class LanguageOption(BaseModel):
    code: str
    name: str


class DefaultEngine(BaseModel):
    """What a job gets that asks for nothing; `engine` is null while it would have to wait."""

    engine: str | None
    model: str | None
    low_accuracy: bool
    reason: str | None


class ProviderOption(BaseModel):
    name: str


class Options(BaseModel):
    allow_registration: bool
    needs_first_account: bool
    setup_token_required: bool
    password_min_length: int
    max_file_bytes: int
    max_audio_seconds: int
    version: str
    oidc: ProviderOption | None = Field(
        description="The provider to sign in through; null: none is configured."
    )
    links: bool = Field(description="Jobs may name a link instead of a file.")
    email_verification: bool = Field(description="A new account works once its address is verified.")
    mail: bool = Field(description="This server sends mail; else links are handed over by people.")
    engines: list[EngineOption]
    models: list[ModelOption]
    languages: list[LanguageOption]
    default_engine: DefaultEngine
    local_speakers: bool = Field(description="This server can tell speakers apart by itself.")
    local_speakers_reason: str | None = Field(None, description="Why it cannot.")


class ModelState(StrEnum):
    ABSENT = "absent"
    DOWNLOADING = "downloading"
    PRESENT = "present"
    INVALID = "invalid"


class ManagedModel(BaseModel):
    """A model file as the administrator sees it."""

    name: str
    kind: Literal["speech", "speakers"]
    bytes: int
    multilingual: bool
    licence: str
    recommended: bool = Field(description="The form of its size to take first.")
    state: ModelState
    received_bytes: int = Field(description="Of a download that runs or broke off.")
    verified_at: datetime | None = Field(None, description="When its SHA-256 was last compared.")
    error: str | None = Field(None, description="Why the last download or check failed.")
    default: bool = Field(description="WHISPER_MODEL or DIARIZATION_MODEL.")
    in_use: bool = Field(description="Some process has it loaded, or a job is at work with it.")


class ManagedModels(BaseModel):
    """Never more than one page; `next_cursor` is null."""

    items: list[ManagedModel]
    next_cursor: None = None
    folder: str
    free_bytes: int


class JavaScript(BaseModel):
    name: str
    version: str


class FetchingState(BaseModel):
    enabled: bool = Field(description="Jobs may name links.")
    version: str | None = Field(description="Of the yt-dlp that fetches.")
    upgraded: bool = Field(
        description="It is the one in DATA_DIR/yt-dlp, newer than the one that came along."
    )
    javascript: JavaScript | None = Field(description="The runtime that some sites need; null: none is here.")


class StorageState(BaseModel):
    backend: str


class DatabaseState(BaseModel):
    dialect: str


class MailState(BaseModel):
    sends: bool = Field(description="Else mails are files in DATA_DIR/mails.")


class Status(BaseModel):
    """What this server is made of, for its administrators."""

    version: str
    yt_dlp: FetchingState
    storage: StorageState
    database: DatabaseState
    mail: MailState


class Health(BaseModel):
    """The process is alive."""

    status: str
    timestamp: str
    version: str


class CheckOut(BaseModel):
    ok: bool
    detail: str


class Ready(BaseModel):
    """`status` is ready or unavailable; each check says what it found."""

    status: str
    checks: dict[str, CheckOut]


class Version(BaseModel):
    version: str
