"""One file through the pipeline in this process: engine, windows, speakers, and the result as the server shapes it."""

from __future__ import annotations

import asyncio
import hashlib
import stat
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.asr import diarization
from app.asr import models as speech_models
from app.asr.engines.stub import stub_transcription
from app.asr.host.decoder import Decoder
from app.asr.host.pool import EnginePool
from app.asr.limits import MediaLimits
from app.asr.pipeline import plan_fingerprint, transcribe
from app.asr.selection import availability, choose
from app.asr.types import (
    EngineSpec,
    MediaSummary,
    Mode,
    Notice,
    Peaks,
    Segment,
    Stage,
    TranscribeOptions,
    Transcription,
    Window,
    WindowResult,
)
from app.cli.checkpoints import Checkpoints, FileSink
from app.cli.progress import FileProgress, Preparation
from app.cli.results import build_result
from app.core.config import Environment, Settings
from app.core.errors import InvalidInputError, JobError
from app.services.jobs.engine_choice import NEEDS_MODEL, reads_ggml, variants

TRIES = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file would be heard now. `key` is the same as long as its text would be."""

    spec: EngineSpec
    fingerprint: str
    key: str


class FileTranscriber:
    """Chooses the engine as the server does and runs files through one pool. Files may run at the same time."""

    def __init__(
        self,
        settings: Settings,
        decoder: Decoder,
        pool: EnginePool,
        limits: MediaLimits,
        options: TranscribeOptions,
        *,
        engine: str | None,
        model: str | None,
        max_in_flight: int,
    ) -> None:
        self._settings = settings
        self._decoder = decoder
        self._pool = pool
        self._limits = limits
        self._options = options
        self._engine = engine
        self._model = model
        self._max_in_flight = max_in_flight
        self._checkpoints = Checkpoints(settings.server.data_dir / "checkpoints")
        self._checkpoints.clean()
        self._fetching = asyncio.Lock()  # the first file fetches the model, the others wait for it
        self._told: set[str] = set()

    async def plan(self, progress: Preparation) -> Plan:
        """Which engine takes files now, with the model fetched where that is allowed. Raises JobError."""
        async with self._fetching:
            spec = await self._choose(progress)
        fingerprint = plan_fingerprint(self._options, spec)
        asked = self._options
        speakers = f"{asked.speakers or ''}:{asked.max_speakers or ''}" if asked.mode is Mode.DIALOGUE else ""
        return Plan(spec, fingerprint, f"{fingerprint}:{speakers}")

    async def transcribe(
        self, path: Path, plan: Plan, sha256: str | None, progress: FileProgress
    ) -> dict[str, Any]:
        """The result of docs/api.md (without a job's id).

        With the SHA-256 of its bytes, a file goes on from the windows that an interrupted run has committed. Raises
        `OSError`, `InvalidInputError`, `JobError`.
        """
        if plan.spec.engine == "stub":
            return await self._without_listening(path, plan.spec)
        kept = nullcontext() if sha256 is None else self._checkpoints.open(sha256, plan.fingerprint)
        with kept as file:
            sink = _ReportingSink(progress, file)
            if sink.kept:
                progress.say(f"going on after {sink.kept} parts that are done")
            heard = await self._hear(path, plan.spec, sink, progress)
            segments, notices = await self._with_speakers(path, sink, heard, progress)
        return build_result(path, plan.spec, heard, segments, notices)

    async def _hear(
        self, path: Path, spec: EngineSpec, sink: FileSink, progress: FileProgress
    ) -> Transcription:
        """All windows; an engine that breaks is given TRIES chances, and each goes on after what is done."""
        for left in reversed(range(TRIES)):
            try:
                return await transcribe(
                    path,
                    spec,
                    self._options,
                    job=str(path),
                    decoder=self._decoder,
                    pool=self._pool,
                    sink=sink,
                    limits=self._limits,
                    max_in_flight=self._max_in_flight,
                    keep_segments=False,
                )
            except JobError as error:
                if not error.retryable or not left:
                    raise
                progress.say(f"{error.message} Trying again.")
        raise AssertionError("the last try raises or returns")

    async def _without_listening(self, path: Path, spec: EngineSpec) -> dict[str, Any]:
        heard = await asyncio.to_thread(stub_transcription, path, path.name)
        heard = replace(heard, covered_ms=heard.summary.speech_ms or 0)
        return build_result(path, spec, heard, {0: heard.segments}, heard.notices)

    async def _with_speakers(
        self, path: Path, sink: FileSink, heard: Transcription, progress: FileProgress
    ) -> tuple[dict[int, Iterable[Segment]], tuple[Notice, ...]]:
        """Segments by window. In a dialogue with one channel voices are told apart; where that cannot be done, the
        text is whole and the warning says why."""
        segments: dict[int, Iterable[Segment]] = {i: result.segments for i, result in sink.results.items()}
        unnamed = any(notice.code == "no_speakers" for notice in heard.notices)
        if not unnamed:
            return segments, heard.notices
        speech = self._settings.speech
        found = await asyncio.to_thread(
            diarization.availability, speech.diarization_model, self._settings.models_dir
        )
        try:
            if found.embedder is None:
                raise JobError("diarization_failed", found.reason or "Voices cannot be told apart here.")
            progress.stage(Stage.DIARIZING)
            turns = await diarization.diarize(
                path,
                sorted({region for window in sink.windows.values() for region in window.speech}) or None,
                embedder=found.embedder,
                speakers=self._options.speakers,
                max_speakers=self._options.max_speakers or speech.max_speakers,
                limits=self._limits,
            )
        except JobError as error:
            reason = Notice(
                "no_speakers", f"The text is whole, but speakers were not told apart. {error.message}"
            )
            return segments, tuple(reason if n.code == "no_speakers" else n for n in heard.notices)
        named = {i: diarization.assign(turns, window) for i, window in segments.items()}
        return dict(named), tuple(n for n in heard.notices if n.code != "no_speakers")

    async def _choose(self, progress: Preparation) -> EngineSpec:
        speech, folder = self._settings.speech, self._settings.models_dir
        backend = self._engine or (speech.transcription_backend if self._model is None else NEEDS_MODEL)
        wanted = self._model or speech.whisper_model
        if reads_ggml(backend, speech, named=self._model is not None):
            await self._fetch_missing(wanted, progress)
        choice = await asyncio.to_thread(
            choose,
            None if backend == "auto" else backend,
            self._options.language,
            order=speech.engines,
            look=lambda name: availability(
                name, wanted, folder, variants(speech, named=self._model is not None)
            ),
            strict=self._settings.server.env == Environment.PROD,
            translate=self._options.translate,
        )
        if choice.spec is None:
            raise JobError(
                choice.wait_reason or "model_missing",
                f"No engine can do this now. {choice.why}",
            )
        if choice.low_accuracy:  # why a better one was passed over; else nobody needs to know
            for reason in choice.reasons:
                self._tell_once(reason, progress)
        return choice.spec

    async def _fetch_missing(self, name: str, progress: Preparation) -> None:
        """Download the model where that is allowed; without a network the engines decide what to do."""
        speech, folder = self._settings.speech, self._settings.models_dir
        if not speech.model_auto_download or not speech_models.is_known(name):
            return
        if name in self._told or await asyncio.to_thread(speech_models.is_present, name, folder):
            return
        try:
            await speech_models.download(
                name, folder, speech.model_base_url, on_progress=progress.downloading
            )
        except JobError as error:
            self._told.add(name)  # one try a run: the next file must not wait for it again
            progress.say(error.message)

    def _tell_once(self, reason: str, progress: Preparation) -> None:
        if reason not in self._told:
            self._told.add(reason)
            progress.say(reason)


class _ReportingSink(FileSink):
    """Checkpoints that tell the progress line how far they are."""

    def __init__(self, progress: FileProgress, file: Any) -> None:
        super().__init__(file)
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


def check_file(path: Path, max_bytes: int) -> bool:
    """Whether it is a file that can be read twice, as a pipe cannot. Raises `OSError`, `InvalidInputError`."""
    facts = path.stat()
    if stat.S_ISDIR(facts.st_mode):
        raise InvalidInputError("This is a folder without recordings.")
    regular = stat.S_ISREG(facts.st_mode)
    if facts.st_size == 0 and regular:
        raise InvalidInputError("The file is empty.", code="file_empty")
    if facts.st_size > max_bytes:
        raise InvalidInputError(
            f"The file is larger than MAX_FILE_BYTES, which is {max_bytes} bytes.", code="file_too_large"
        )
    return regular


def sha256_of(path: Path) -> str:
    """In hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
