"""What a client may offer: read from settings, the model folder and the accounts table."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from app import __version__
from app.asr import diarization
from app.asr import models as speech_models
from app.asr.engines.registry import ENGINES
from app.asr.languages import LANGUAGES
from app.asr.selection import Availability, list_engines
from app.core.config import Settings
from app.db.session import Database
from app.services.identity.accounts import Accounts
from app.services.identity.oidc import ProviderSignIn
from app.services.jobs.engine_choice import EngineChooser, variants


async def read_options(
    settings: Settings,
    database: Database,
    accounts: Accounts,
    provider: ProviderSignIn,
    chooser: EngineChooser,
) -> dict[str, Any]:
    """The answer of GET /api/options."""
    async with database.system(read_only=True) as session:
        registration = await accounts.registration.state(session)
    choice = await chooser.choose_for(None, None, "auto")
    spec = choice.spec
    voices = await asyncio.to_thread(
        diarization.availability, settings.speech.diarization_model, settings.models_dir
    )
    return {
        "allow_registration": registration.open,
        "needs_first_account": registration.needs_first_account,
        "setup_token_required": registration.setup_token_required,
        "password_min_length": settings.identity.password_min_length,
        "max_file_bytes": settings.storage.max_file_bytes,
        "max_audio_seconds": settings.storage.max_audio_seconds,
        "version": __version__,
        "oidc": {"name": provider.name} if provider.name else None,
        "links": settings.links_allowed,
        "email_verification": settings.identity.email_verification,
        "mail": settings.sends_mail,
        "engines": await asyncio.to_thread(_engines, settings, await chooser.look_at_providers(), chooser),
        "models": await asyncio.to_thread(_models, settings),
        "languages": [
            {"code": code, "name": name} for code, name in sorted(LANGUAGES.items(), key=lambda pair: pair[1])
        ],
        "default_engine": {
            "engine": spec.engine if spec else None,
            "model": spec.model if spec else None,
            "low_accuracy": choice.low_accuracy,
            "reason": choice.why or choice.wait_reason,
        },
        "local_speakers": voices.usable,
        "local_speakers_reason": voices.reason,
    }


def _engines(
    settings: Settings, cloud: Mapping[str, Availability], chooser: EngineChooser
) -> list[dict[str, Any]]:
    return [
        {
            "name": e.name,
            "available": e.available,
            "low_accuracy": e.low_accuracy,
            "cloud": ENGINES[e.name].needs_network,
            "words": ENGINES[e.name].words,
            "speakers": ENGINES[e.name].speakers,
            "translates": ENGINES[e.name].translates,
            "models": None if ENGINES[e.name].needs_model else chooser.provider_models(e.name),
            "reason": e.reason,
        }
        for e in list_engines(
            settings.speech.whisper_model, settings.models_dir, cloud, variants(settings.speech, named=False)
        )
        if e.name != "stub" or settings.speech.transcription_backend == "stub"
    ]


def _models(settings: Settings) -> list[dict[str, Any]]:
    return [
        {
            "name": entry.name,
            "bytes": entry.bytes,
            "installed": speech_models.is_usable(entry.name, settings.models_dir),
            "default": entry.name == settings.speech.whisper_model,
            "multilingual": entry.multilingual,
        }
        for entry in speech_models.catalogue()
        if entry.kind == "speech"
    ]
