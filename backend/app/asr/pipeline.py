"""A recording to text: decode, plan windows, run them in the pool, keep checkpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from app.asr import ctranslate
from app.asr.coverage import Region, assess, is_doubtful, join_gaps
from app.asr.ctranslate.prepare import prepared
from app.asr.engines.registry import ENGINES
from app.asr.hearer import Hearer
from app.asr.host.decoder import Decoded, Decoder, Finished, Planned, Probed
from app.asr.host.pool import EngineHung
from app.asr.language_choice import LanguageChoice
from app.asr.languages import LANGUAGES
from app.asr.limits import MediaLimits
from app.asr.merge import in_time_order, with_channel_speaker
from app.asr.models import ggml
from app.asr.notices import final_notices
from app.asr.plan import plan_fingerprint
from app.asr.sinks import MemorySink, PipelineSink
from app.asr.types import (
    AUTO,
    MIXED,
    EngineSpec,
    MediaSummary,
    Notice,
    Segment,
    Stage,
    TranscribeOptions,
    Transcription,
    Window,
    WindowOptions,
    WindowResult,
)
from app.core.errors import JobError

__all__ = ["MemorySink", "PipelineSink", "plan_fingerprint", "transcribe"]

TRIES = 2  # for a window that the engine does not finish in time
LOST_IN_A_ROW = 3


async def transcribe(
    source: Path,
    spec: EngineSpec,
    options: TranscribeOptions,
    *,
    job: str,
    decoder: Decoder,
    pool: Hearer,
    sink: PipelineSink,
    limits: MediaLimits,
    max_in_flight: int,
    keep_segments: bool = True,
    window_ms: int | None = None,
    on_decoded_ms: Callable[[int], None] | None = None,
) -> Transcription:
    """Transcribes one file in windows of at most `window_ms` (None: 30 s).

    At most `max_in_flight` windows are held at a time: one more than the pool has processes keeps them all busy.
    With `keep_segments` False the result has no segments (the sink has them) and memory does not grow with the
    file. Cancelling kills the decoder and withdraws or kills this job's windows. Raises JobError and what the sink
    raises; windows committed by then are kept by the sink, and the next run with the same sink goes on from there.
    """
    spec = await prepared(spec)
    run = _Run(spec, options, job, pool, sink, max_in_flight, keep_segments)
    summary: MediaSummary | None = None
    await sink.stage(Stage.DECODING)
    try:
        async with (
            decoder.open(source, options, limits, window_ms=window_ms) as events,
            asyncio.TaskGroup() as tasks,
        ):
            async for event in events:
                match event:
                    case Probed(hint_ms):
                        await sink.probed(hint_ms)
                    case Decoded(ms) if on_decoded_ms is not None:
                        on_decoded_ms(ms)
                    case Planned(window, pcm):
                        await run.window(tasks, window, pcm)
                    case Finished():
                        summary = event.summary
                        await sink.decoded(summary, event.peaks)
    except BaseExceptionGroup as group:
        raise _first(group) from None
    if summary is None:
        raise JobError("media_invalid", "Reading the file ended without a result.")
    return run.finish(summary)


class _Run:
    """The moving parts of one transcription."""

    def __init__(
        self,
        spec: EngineSpec,
        options: TranscribeOptions,
        job: str,
        pool: Hearer,
        sink: PipelineSink,
        max_in_flight: int,
        keep_segments: bool,
    ) -> None:
        self._spec = spec
        self._options = options
        self._job = job
        self._pool = pool
        self._sink = sink
        self._room = asyncio.Semaphore(max(1, max_in_flight))
        self._keep = keep_segments
        info = ENGINES.get(spec.engine)
        self._language = LanguageChoice(
            fixed_language(spec, options),
            mixed=options.language == MIXED,
            guesses=info is None or info.in_pool,
        )
        self._stage = Stage.DECODING
        self._segments: dict[int, tuple[Segment, ...]] = {}
        self._heard = 0  # segments
        self._doubtful = 0  # segments with a flag that says so
        self._covered_ms = 0
        self._gaps: list[Region] = []
        self._lost_in_a_row = 0
        self._speakers = False

    async def window(self, tasks: asyncio.TaskGroup, window: Window, pcm: bytes) -> None:
        """Plans a window and starts it when there is room."""
        done = await self._sink.plan(window)
        if done is not None:
            self._take(window, self._language.note(window.index, done))
            return
        await self._room.acquire()
        if self._stage is Stage.DECODING:
            await self._enter(Stage.LOADING_MODEL)
        tasks.create_task(self._transcribe(window, pcm))

    def finish(self, summary: MediaSummary) -> Transcription:
        segments = in_time_order(s for index in sorted(self._segments) for s in self._segments[index])
        return Transcription(
            summary,
            self._language.language,
            segments,
            self._notices(summary),
            covered_ms=self._covered_ms,
            gaps=join_gaps(self._gaps),
        )

    async def _transcribe(self, window: Window, pcm: bytes) -> None:
        try:
            await self._language.turn(window.index)
            sure = None
            while sure is None:
                asked, result = await self._listen(window, pcm)
                sure = await self._language.accept(window.index, asked, result)
            result = with_channel_speaker(window, sure)
            self._take(window, result)
            await self._sink.committed(window, result)
        finally:
            self._room.release()

    async def _listen(self, window: Window, pcm: bytes) -> tuple[str | None, WindowResult]:
        """Asks the engine, a second time and differently where it does not answer in time; then the window is given
        up as a gap. Answers with the language that was asked for. Raises JobError `engine_timeout` after LOST_IN_A_ROW
        such windows: then it is not the recording."""
        before = self._sink.attempts(window)
        for attempt in range(before, before + TRIES):
            told = self._options_now(window, attempt)

            async def start(attempt: int = attempt) -> WindowOptions:
                nonlocal told
                await self._started(window)
                told = self._options_now(
                    window, attempt
                )  # the language may have been decided in the meantime
                return told

            try:
                result = await self._pool.submit(self._job, self._spec, told, window, pcm, start)
            except EngineHung as error:
                if error.window is None:
                    raise
                hung = error
            else:
                self._lost_in_a_row = 0
                return told.language, result
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= LOST_IN_A_ROW:
            raise JobError(hung.code, hung.message)
        return told.language, assess(window, WindowResult(error=hung.code))

    def _options_now(self, window: Window, attempt: int) -> WindowOptions:
        asked, language = self._options, self._language.ask(window.index)
        return WindowOptions(language, asked.translate, asked.vocabulary, asked.prompt, attempt)

    async def _started(self, window: Window) -> None:
        if self._stage is not Stage.TRANSCRIBING:
            await self._enter(Stage.TRANSCRIBING)
        await self._sink.started(window)

    async def _enter(self, stage: Stage) -> None:
        self._stage = stage
        await self._sink.stage(stage)

    def _take(self, window: Window, result: WindowResult) -> None:
        self._heard += len(result.segments)
        self._doubtful += sum(is_doubtful(segment.flags) for segment in result.segments)
        if result.error is not None:  # whoever gave it up may not have said over what
            result = assess(window, result)
        self._covered_ms += result.covered_ms
        self._gaps += result.gaps
        self._speakers = self._speakers or any(segment.speaker for segment in result.segments)
        if self._keep:
            self._segments[window.index] = result.segments

    def _notices(self, summary: MediaSummary) -> tuple[Notice, ...]:
        return final_notices(
            summary.notices,
            segments=self._heard,
            mode=self._options.mode,
            low_accuracy=self._spec.low_accuracy,
            speakers=self._speakers,
            gaps=self._gaps,
            doubtful=self._doubtful,
        )


def fixed_language(spec: EngineSpec, options: TranscribeOptions) -> str | None:
    """The language that is known beforehand: asked for, or the only one that the engine or model knows.

    Raises JobError `model_missing`, `model_invalid`, `language_unsupported`.
    """
    languages = ENGINES[spec.engine].languages if spec.engine in ENGINES else "any"
    if languages != "any" and len(languages) == 1:
        return languages[0]
    if spec.model_path is not None and not _is_multilingual(Path(spec.model_path)):
        if options.language not in (AUTO, MIXED, "en"):
            raise JobError(
                "language_unsupported",
                f"The model {spec.model} knows English only, not "
                f"{LANGUAGES.get(options.language, options.language)}. Run this again with a model that is not an "
                "English one.",
            )
        return "en"
    return None if options.language in (AUTO, MIXED) else options.language


def _is_multilingual(model: Path) -> bool:
    return ctranslate.is_multilingual(model) if model.is_dir() else ggml.read_header(model).multilingual


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that started it: the others are its consequences."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
