"""What operators and clients ask of the server itself: health, readiness, limits, engines, models, languages."""

from __future__ import annotations

from pydantic import BaseModel, Field


class EngineOption(BaseModel):
    name: str
    available: bool
    low_accuracy: bool
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


class Options(BaseModel):
    allow_registration: bool
    needs_first_account: bool
    setup_token_required: bool
    password_min_length: int
    max_file_bytes: int
    max_audio_seconds: int
    version: str
    engines: list[EngineOption]
    models: list[ModelOption]
    languages: list[LanguageOption]
    default_engine: DefaultEngine


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
