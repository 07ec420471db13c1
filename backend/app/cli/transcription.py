"""One file through the pipeline in this process, with its checkpoints in memory."""

from __future__ import annotations

import asyncio
import stat
import time
from pathlib import Path
from typing import Any

from app.asr import models as speech_models
from app.asr.engines.stub import stub_transcription
from app.asr.host.decoder import Decoder
from app.asr.host.pool import EnginePool
from app.asr.limits import MediaLimits
from app.asr.pipeline import transcribe
from app.asr.selection import availability, choose
from app.asr.sinks import MemorySink
from app.asr.types import EngineSpec, MediaSummary, Peaks, Stage, TranscribeOptions, Window, WindowResult
from app.cli.progress import FileProgress
from app.core.config import Environment, Settings
from app.core.errors import InvalidInputError, JobError
from app.services.jobs.engine_choice import NEEDS_MODEL, reads_ggml, variants
from app.services.transcripts.codec import pack_segment, segment_id, segment_view


class FileTranscriber:
    """Chooses the engine as the server does and runs files through one pool."""

    def __init__(
        self,
        settings: Settings,
        decoder: Decoder,
        pool: EnginePool,
        limits: MediaLimits,
        *,
        engine: str | None,
        model: str | None,
        max_in_flight: int,
    ) -> None:
        self._settings = settings
        self._decoder = decoder
        self._pool = pool
        self._limits = limits
        self._engine = engine
        self._model = model
        self._max_in_flight = max_in_flight

    async def transcribe(
        self, path: Path, options: TranscribeOptions, progress: FileProgress
    ) -> dict[str, Any]:
        """The result of docs/api.md (without a job's id). Raises `OSError`, `InvalidInputError`, `JobError`."""
        _check_file(path, self._settings.storage.max_file_bytes)
        spec = await self._choose(options, progress)
        if spec.engine == "stub":
            result = await asyncio.to_thread(stub_transcription, path, path.name)
            segments = [
                segment_view(segment_id(0, n), pack_segment(s)) for n, s in enumerate(result.segments)
            ]
            return _result(path, spec, result.summary, result.language, segments, result.notices)
        sink = _ReportingSink(progress)
        result = await transcribe(
            path,
            spec,
            options,
            job=str(path),
            decoder=self._decoder,
            pool=self._pool,
            sink=sink,
            limits=self._limits,
            max_in_flight=self._max_in_flight,
            keep_segments=False,
        )
        segments = [
            segment_view(segment_id(index, n), pack_segment(segment))
            for index in sorted(sink.results)
            for n, segment in enumerate(sink.results[index].segments)
        ]
        return _result(path, spec, result.summary, result.language, segments, result.notices)

    async def _choose(self, options: TranscribeOptions, progress: FileProgress) -> EngineSpec:
        speech, folder = self._settings.speech, self._settings.models_dir
        backend = self._engine or (speech.transcription_backend if self._model is None else NEEDS_MODEL)
        wanted = self._model or speech.whisper_model
        if reads_ggml(backend, speech, named=self._model is not None):
            await self._fetch_missing(wanted, progress)
        choice = await asyncio.to_thread(
            choose,
            None if backend == "auto" else backend,
            options.language,
            order=speech.engines,
            look=lambda name: availability(
                name, wanted, folder, variants(speech, named=self._model is not None)
            ),
            strict=self._settings.server.env == Environment.PROD,
        )
        for reason in choice.reasons:
            progress.say(reason)
        if choice.spec is None:
            raise JobError(choice.wait_reason or "model_missing", "No engine can do this now.")
        return choice.spec

    async def _fetch_missing(self, name: str, progress: FileProgress) -> None:
        """Download the model where that is allowed; without a network the engines decide what to do."""
        speech, folder = self._settings.speech, self._settings.models_dir
        if not speech.model_auto_download or not speech_models.is_known(name):
            return
        if await asyncio.to_thread(speech_models.is_present, name, folder):
            return
        try:
            await speech_models.download(
                name, folder, speech.model_base_url, on_progress=progress.downloading
            )
        except JobError as error:
            progress.say(error.message)


class _ReportingSink(MemorySink):
    """Checkpoints in memory that tell the progress line how far they are."""

    def __init__(self, progress: FileProgress) -> None:
        super().__init__()
        self._progress = progress

    async def stage(self, stage: Stage) -> None:
        await super().stage(stage)
        self._progress.stage(stage)

    async def probed(self, hint_duration_ms: int | None) -> None:
        await super().probed(hint_duration_ms)
        self._progress.expect(hint_duration_ms)

    async def committed(self, window: Window, result: WindowResult) -> None:
        await super().committed(window, result)
        self._progress.done(window.end_ms, window.duration_ms, time.monotonic())

    async def decoded(self, summary: MediaSummary, peaks: Peaks | None) -> None:
        await super().decoded(summary, peaks)
        self._progress.expect(summary.duration_ms)


def _check_file(path: Path, max_bytes: int) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise InvalidInputError("This is a folder. Name the files in it.")
    if path.stat().st_size == 0 and stat.S_ISREG(mode):
        raise InvalidInputError("The file is empty.", code="file_empty")
    if path.stat().st_size > max_bytes:
        raise InvalidInputError(
            f"The file is larger than MAX_FILE_BYTES, which is {max_bytes} bytes.", code="file_too_large"
        )


def _result(
    path: Path,
    spec: EngineSpec,
    summary: MediaSummary,
    language: str | None,
    segments: list[dict[str, Any]],
    notices: Any,
) -> dict[str, Any]:
    return {
        "job_id": None,
        "filename": path.name,
        "complete": True,
        "language": language,
        "duration_ms": summary.duration_ms,
        "engine": spec.engine,
        "model": spec.model,
        "low_accuracy": spec.low_accuracy,
        "text": " ".join(segment["text"] for segment in segments),
        "warnings": [{"code": n.code, "message": n.message} for n in notices],
        "segments": segments,
    }
