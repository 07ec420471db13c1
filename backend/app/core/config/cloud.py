"""Providers that turn speech into text elsewhere."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from app.core.config.base import Group, http_address, split_commas


class CloudSettings(Group):
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

    _assemblyai_speech_models = field_validator("assemblyai_speech_models", mode="before")(split_commas)

    _addresses = field_validator("assemblyai_base_url", "openai_base_url")(http_address)
