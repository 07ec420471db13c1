"""Which engine takes a job, given what is installed now; starts the download of a model that is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.asr import models as speech_models
from app.asr.selection import Choice, availability, choose
from app.core.config import Environment, Settings
from app.core.errors import AppError
from app.core.logging import get_logger
from app.models import Job

log = get_logger(__name__)

RETRY_DOWNLOAD_SECONDS = 300
MODEL_DOWNLOADING = "model_downloading"
NEEDS_MODEL = "whisper_cpp"  # who names a model wants that one, and waits for it


@dataclass(slots=True)
class DownloadState:
    """Where the fetch of a model stands; `fraction` 0..1 while it runs."""

    running: bool = False
    fraction: float = 0.0
    failed_at: float | None = None
    error: str | None = None


class ModelKeeper:
    """Fetches missing models, each once at a time, in the background."""

    def __init__(self, models_dir: Path, base_url: str, *, enabled: bool) -> None:
        self._models_dir = models_dir
        self._base_url = base_url
        self._enabled = enabled
        self._states: dict[str, DownloadState] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.on_change: list[Callable[[], None]] = []

    def state(self, name: str) -> DownloadState:
        return self._states.setdefault(name, DownloadState())

    def ensure(self, name: str) -> bool:
        """Begin a download unless one runs or failed a short while ago. True while one runs."""
        state = self.state(name)
        if state.running:
            return True
        recently = state.failed_at is not None and time.monotonic() - state.failed_at < RETRY_DOWNLOAD_SECONDS
        if not self._enabled or recently or not speech_models.is_known(name):
            return False
        state.running, state.error = True, None
        self._tasks[name] = asyncio.create_task(self._fetch(name, state))
        return True

    async def _fetch(self, name: str, state: DownloadState) -> None:
        def on_progress(done: int, total: int) -> None:
            state.fraction = done / total if total else 0.0

        try:
            await speech_models.download(name, self._models_dir, self._base_url, on_progress=on_progress)
            state.failed_at = None
            log.info("model_downloaded", model=name)
        except AppError as error:
            state.failed_at, state.error = time.monotonic(), error.message
            log.warning("model_download_failed", model=name, reason=error.message)
        except Exception as error:
            state.failed_at, state.error = time.monotonic(), repr(error)
            log.error("model_download_broke", model=name, exc_info=error)
        finally:
            state.running = False
            for tell in self.on_change:
                tell()

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


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
