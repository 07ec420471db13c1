"""A whole recording at AssemblyAI: decoded here first, sent in one piece, and found again after a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.asr.coverage import merge
from app.asr.engines.assemblyai import ENGINE, AssemblyAI
from app.asr.host.decoder import Decoded, Decoder, Finished, Planned, Probed
from app.asr.limits import MediaLimits
from app.asr.remote.assemblyai_answers import window_result
from app.asr.remote.calls import Call, Calls
from app.asr.remote.errors import REJECTED, ProviderError
from app.asr.remote.sentences import checked
from app.asr.sinks import PipelineSink
from app.asr.types import MIXED, EngineSpec, Mode, Stage, TranscribeOptions, Vad, Window, WindowResult
from app.core.errors import JobError

MAX_MS = 10 * 3_600_000
MAX_BYTES = 2_200_000_000


async def transcribe_recording(
    source: Path,
    spec: EngineSpec,
    options: TranscribeOptions,
    *,
    provider: AssemblyAI,
    calls: Calls,
    decoder: Decoder,
    sink: PipelineSink,
    limits: MediaLimits,
    planned: Window | None = None,
    on_decoded_ms: Callable[[int], None] | None = None,
) -> None:
    """Transcribes one file as one window, 0 to its end; text, flags and gaps go to the sink.

    Decoding comes first as for every engine: it proves that this is a recording, and tells its length and where
    speech is. Without any speech nothing is sent. `planned` is the window of an earlier run that got so far; then
    it is not decoded again. Cancelling stops at once; what the provider has by then stays in `calls`. Raises JobError
    and what the sink raises.
    """
    window = planned or await _plan(source, options, decoder, sink, limits, on_decoded_ms)
    if window is None:
        return
    await asyncio.to_thread(_check_size, source, window)
    await sink.stage(Stage.TRANSCRIBING)
    call = await calls.begin(window.index, window.duration_ms)
    try:
        async with provider.room:
            result, model = await _hear(source, spec, options, window, provider, calls, call)
    except ProviderError as error:
        if not error.retryable or error.http_status == 404:
            await calls.failed(call, error.message)
        raise
    await sink.started(window)  # only now: a process that dies while it waits is not this recording's fault
    await sink.committed(window, result)
    await calls.done(call, model)


def _check_size(source: Path, window: Window) -> None:
    """What the provider's documents say it refuses need not be sent. Raises `ProviderError`."""
    if window.duration_ms > MAX_MS or source.stat().st_size > MAX_BYTES:
        raise ProviderError(
            ENGINE, REJECTED, f"{ENGINE} takes recordings of at most 10 hours and 2.2 GB; this one is larger."
        )


async def _plan(
    source: Path,
    options: TranscribeOptions,
    decoder: Decoder,
    sink: PipelineSink,
    limits: MediaLimits,
    on_decoded_ms: Callable[[int], None] | None,
) -> Window | None:
    """Decodes, and plans the one window; None where nothing is left to do."""
    await sink.stage(Stage.DECODING)
    speech: list[tuple[int, int]] = []
    async with decoder.open(source, replace(options, mode=Mode.MONO), limits) as events:
        async for event in events:
            match event:
                case Probed(hint_ms):
                    await sink.probed(hint_ms)
                case Decoded(ms) if on_decoded_ms is not None:
                    on_decoded_ms(ms)
                case Planned(window, _):
                    speech += window.speech
                case Finished(summary, peaks):
                    whole = Window(0, 0, summary.duration_ms, tuple(merge(speech)))
                    silent = options.vad is Vad.AUTO and not speech
                    done = None if silent else await sink.plan(whole)
                    await sink.decoded(summary, peaks)
                    return None if silent or done is not None else whole
    raise JobError("media_invalid", "Reading the file ended without a result.")


async def _hear(
    source: Path,
    spec: EngineSpec,
    options: TranscribeOptions,
    window: Window,
    provider: AssemblyAI,
    calls: Calls,
    call: Call,
) -> tuple[WindowResult, str | None]:
    """The text and the model that made it; each step is skipped that an earlier process has taken."""
    began = time.monotonic()
    if call.provider_id is None:
        lost = call.upload_url is not None  # uploaded, and perhaps submitted, by a process that is gone
        if call.upload_url is None:
            await calls.uploaded(call, await provider.upload(source))
        assert call.upload_url is not None
        await calls.submitted(call, await provider.submit(call.upload_url, spec.model, options, unsure=lost))
    assert call.provider_id is not None
    transcript = await provider.wait(call.provider_id, window.duration_ms)
    answer = window_result(transcript, window)
    result = checked(window, answer, None if options.language == MIXED else answer.language)
    return replace(
        result, engine_ms=round((time.monotonic() - began) * 1000)
    ), transcript.speech_model_used or spec.model
