"""Which engine takes a job, given what is installed now; a model that is missing is fetched."""

from __future__ import annotations

import asyncio

from app.asr import models as speech_models
from app.asr.selection import Choice, availability, choose
from app.core.config import Environment, Settings
from app.models import Job
from app.services.jobs.model_keeper import ModelKeeper

MODEL_DOWNLOADING = "model_downloading"
NEEDS_MODEL = "whisper_cpp"  # who names a model wants that one, and waits for it


class EngineChooser:
    """DESIGN.md section 4 with this server's settings; the rule itself is `app.asr.selection.choose`."""

    def __init__(self, settings: Settings, keeper: ModelKeeper) -> None:
        self._settings = settings
        self._keeper = keeper

    async def prefetch(self) -> None:
        """Begin to fetch WHISPER_MODEL where it is missing, so that the first job need not wait for it."""
        name = self._settings.speech.whisper_model
        if not await self.has_model(name):
            self._keeper.ensure(name)

    async def choose(self, job: Job) -> Choice:
        """The engine for this job, or why it has to wait."""
        return await self.choose_for(job.requested_engine, job.requested_model, job.language)

    async def choose_for(self, engine: str | None, model: str | None, language: str) -> Choice:
        """The same for a request that is no job yet."""
        speech = self._settings.speech
        backend = engine or (speech.transcription_backend if model is None else NEEDS_MODEL)
        wanted = model or speech.whisper_model
        if (
            backend in ("auto", "whisper_cpp")
            and not await self.has_model(wanted)
            and self._keeper.ensure(wanted)
        ):
            return Choice(None, wait_reason=MODEL_DOWNLOADING)
        return await asyncio.to_thread(
            choose,
            None if backend == "auto" else backend,
            language,
            order=speech.engines,
            look=lambda name: availability(name, wanted, self._settings.models_dir),
            strict=self._settings.server.env == Environment.PROD,
        )

    async def has_model(self, name: str) -> bool:
        return await asyncio.to_thread(speech_models.is_present, name, self._settings.models_dir)
