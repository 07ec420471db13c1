"""Which engine takes a job, given what is installed now; a model that is missing is fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from app.asr import models as speech_models
from app.asr.engines.registry import installed
from app.asr.selection import MODEL_MISSING, Availability, Choice, Variants, availability, choose
from app.core.config import Environment, Settings, SpeechSettings
from app.models import Job
from app.services.jobs.cloud_gate import PROVIDERS, CloudGate
from app.services.jobs.model_keeper import ModelKeeper

MODEL_DOWNLOADING = "model_downloading"
MODEL_DOWNLOAD_FAILED = "model_download_failed"
NEEDS_MODEL = "whisper_cpp"  # who names a model wants that one, and waits for it


class EngineChooser:
    """DESIGN.md section 4 with this server's settings; the rule itself is `app.asr.selection.choose`."""

    def __init__(self, settings: Settings, keeper: ModelKeeper, gate: CloudGate | None = None) -> None:
        self._settings = settings
        self._keeper = keeper
        self._gate = gate

    async def prefetch(self) -> None:
        """Begin to fetch WHISPER_MODEL where it is missing, so that the first job need not wait for it."""
        name = self._settings.speech.whisper_model
        if not await self.has_model(name):
            self._keeper.ensure(name)

    async def choose(self, job: Job, *, passed_over: Mapping[str, Availability] | None = None) -> Choice:
        """The engine for this job, or why it has to wait.

        `passed_over` names engines that have failed it on this try, and why. A provider that holds the recording, or
        has made part of the text, keeps the job as long as it can.
        """
        begun = None if self._gate is None else await self._gate.begun_with(job)
        return await self.choose_for(
            job.requested_engine,
            job.requested_model,
            job.language,
            translate=job.translate,
            workspace_id=job.workspace_id,
            passed_over=passed_over,
            begun_with=begun,
        )

    async def choose_for(
        self,
        engine: str | None,
        model: str | None,
        language: str,
        *,
        translate: bool = False,
        workspace_id: UUID | None = None,
        passed_over: Mapping[str, Availability] | None = None,
        begun_with: str | None = None,
    ) -> Choice:
        """The same for a request that is no job yet."""
        speech = self._settings.speech
        backend = engine or (speech.transcription_backend if model is None else NEEDS_MODEL)
        remote_model = model if backend in PROVIDERS else None
        wanted = speech.whisper_model if remote_model or model is None else model
        if (
            reads_ggml(backend, speech, named=model is not None)
            and not await self.has_model(wanted)
            and self._keeper.ensure(wanted)
        ):
            return Choice(None, wait_reason=MODEL_DOWNLOADING)
        cloud = await self.look_at_providers(
            workspace_id, model=remote_model, translate=translate, begun_with=begun_with
        )
        failed = passed_over or {}

        def look(name: str) -> Availability:
            if name in failed:
                return failed[name]
            return cloud.get(name) or availability(
                name, wanted, self._settings.models_dir, variants(speech, named=model is not None)
            )

        choice = await asyncio.to_thread(
            choose,
            None if backend == "auto" else backend,
            language,
            order=speech.engines,
            look=look,
            strict=self._settings.server.env == Environment.PROD,
            translate=translate,
        )
        if choice.wait_reason == MODEL_MISSING and self._keeper.state(wanted).error is not None:
            return replace(choice, wait_reason=MODEL_DOWNLOAD_FAILED)
        return choice

    def is_automatic(self, job: Job) -> bool:
        """Whether another engine may take the job where one fails: nobody has named one."""
        named = job.requested_engine or (
            NEEDS_MODEL if job.requested_model else self._settings.speech.transcription_backend
        )
        return named == "auto"

    async def look_at_providers(
        self,
        workspace_id: UUID | None = None,
        *,
        model: str | None = None,
        translate: bool = False,
        begun_with: str | None = None,
    ) -> dict[str, Availability]:
        """Which providers may be asked now, and why the others may not."""
        if self._gate is None:
            return {}
        return await self._gate.look(workspace_id, model=model, translate=translate, begun_with=begun_with)

    def provider_models(self, engine: str) -> list[str]:
        """The models that a job may name for a provider; none for other engines."""
        return self._gate.models(engine) if self._gate is not None and engine in PROVIDERS else []

    async def has_model(self, name: str) -> bool:
        return await asyncio.to_thread(speech_models.is_present, name, self._settings.models_dir)


def variants(speech: SpeechSettings, *, named: bool) -> Variants:
    """What the engines on this machine are set to. A job that names a model gets that one converted
    (`named`), not the folder for all others."""
    folder = "" if named else speech.faster_whisper_model
    return Variants(folder, speech.faster_whisper_device, speech.mlx_model, speech.whisper_word_times)


def reads_ggml(backend: str, speech: SpeechSettings, *, named: bool) -> bool:
    """Whether this engine, or "auto", begins with a model of the catalogue, which is fetched where it is missing."""
    return backend in ("auto", "whisper_cpp") or (
        backend == "faster_whisper" and installed(backend) and (named or not speech.faster_whisper_model)
    )
