"""Fetches model files in the background, for jobs that wait for one and for the administrator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.asr import models as speech_models
from app.core.errors import AppError
from app.core.logging import get_logger

log = get_logger(__name__)

RETRY_DOWNLOAD_SECONDS = 300


@dataclass(slots=True)
class DownloadState:
    """Where the fetch of a model stands; `received` bytes of `total` while it runs."""

    running: bool = False
    received: int = 0
    total: int = 0
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
        """What is known of the last download of a model, or of the one that runs."""
        return self._states.setdefault(name, DownloadState())

    def ensure(self, name: str) -> bool:
        """Begin a download unless one runs or failed a short while ago. True while one runs."""
        state = self.state(name)
        if state.running:
            return True
        recently = state.failed_at is not None and time.monotonic() - state.failed_at < RETRY_DOWNLOAD_SECONDS
        if not self._enabled or recently or speech_models.find(name) is None:
            return False
        self.start(name)
        return True

    def start(self, name: str) -> None:
        """Begin a download that somebody asked for, whatever MODEL_AUTO_DOWNLOAD says; nothing where one runs."""
        state = self.state(name)
        if state.running:
            return
        state.running, state.error, state.received = True, None, 0
        self._tasks[name] = asyncio.create_task(self._fetch(name, state), name=f"download-{name}")

    async def cancel(self, name: str) -> None:
        """End a download that runs; what it has received stays on disk. No job begins it again for a while."""
        state, task = self.state(name), self._tasks.pop(name, None)
        if task is None or not state.running:
            return
        state.failed_at, state.error = time.monotonic(), "The download was called off."
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        state.running = False  # also where the task had not begun

    def tell(self) -> None:
        """A model may be usable now that was not before."""
        for tell in self.on_change:
            tell()

    async def close(self) -> None:
        """End all downloads."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _fetch(self, name: str, state: DownloadState) -> None:
        def on_progress(done: int, total: int) -> None:
            state.received, state.total = done, total

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
            self.tell()
