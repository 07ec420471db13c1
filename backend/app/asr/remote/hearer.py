"""Windows at a provider, in the shape of the pool of engine processes: the same pipeline serves both."""

from __future__ import annotations

import asyncio
from typing import Any

from app.asr.engines.openai import OpenAI
from app.asr.hearer import Start
from app.asr.remote.calls import Calls
from app.asr.remote.errors import ProviderError
from app.asr.remote.openai_models import RemoteModel
from app.asr.remote.sentences import checked
from app.asr.remote.voices import Voices
from app.asr.types import EngineSpec, Window, WindowOptions, WindowResult
from app.core.errors import JobError


class RemoteHearer:
    """One job's windows at an OpenAI-compatible provider, each written down before it is sent.

    Made in the task that runs the pipeline. Where one window fails, the error waits until the others in flight have
    been kept: their answers are paid for.
    """

    def __init__(self, provider: OpenAI, model: RemoteModel, calls: Calls) -> None:
        self._provider = provider
        self._model = model
        self._calls = calls
        self._voices = Voices(model.known_speakers)
        self._pipeline = asyncio.current_task()
        self._at_work: set[asyncio.Task[Any]] = set()
        self._failure: JobError | None = None

    async def submit(
        self,
        job: str,  # noqa: ARG002 (the Protocol's shape; the calls know the job)
        spec: EngineSpec,  # noqa: ARG002
        options: WindowOptions,
        window: Window,
        pcm: bytes,
        on_start: Start,
    ) -> WindowResult:
        task = asyncio.current_task()
        if task is not None and task is not self._pipeline:
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
        try:
            if self._failure is not None:
                raise self._failure
            try:
                return await self._hear(options, window, pcm, on_start)
            finally:
                self._voices.over(window)
        except JobError as error:
            self._failure = self._failure or error
            if task is not None:
                self._at_work.discard(task)
            if self._at_work:
                await asyncio.wait(set(self._at_work))
            raise

    async def _hear(
        self,
        options: WindowOptions,
        window: Window,
        pcm: bytes,
        on_start: Start,
    ) -> WindowResult:
        known = await self._voices.known(window)
        call = await self._calls.begin(window.index, window.duration_ms)
        options = await on_start() or options
        try:
            result = await self._provider.hear(self._model, pcm, window, options, known)
        except ProviderError as error:
            if not error.retryable:  # else the call stays open, and a later try goes on with it
                await self._calls.failed(call, error.message)
            raise
        await self._calls.done(call, self._model.name)
        named = await self._voices.named(window, pcm, result)
        return checked(window, named, "en" if options.translate else options.language)
