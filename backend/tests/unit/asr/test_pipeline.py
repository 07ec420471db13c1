"""Recordings through the whole chain with the real library: exact words and times, resume, cancellation."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.asr.host.decoder import Decoder
from app.asr.host.pool import EnginePool
from app.asr.limits import MediaLimits
from app.asr.pipeline import plan_fingerprint, transcribe
from app.asr.sinks import MemorySink
from app.asr.types import EngineSpec, Stage, TranscribeOptions, Transcription, Vad, Window, WindowResult
from app.core.errors import JobError
from tests.fixtures.tone_model import sequence, tones
from tests.fixtures.wav import write_wav
from tests.unit.asr.recordings import FORMATS, encode


def heard(transcription: Transcription) -> list[tuple[int, int, str]]:
    return [(segment.start_ms, segment.end_ms, segment.text) for segment in transcription.segments]


def truth(words: list[str]) -> list[tuple[int, int, str]]:
    return [(i * 1000, (i + 1) * 1000, word) for i, word in enumerate(words)]


async def test_exact_words_and_times_of_two_jobs_at_once(
    run: Any, tone_spec: EngineSpec, tmp_path: Path
) -> None:
    said = [sequence(75, seed) for seed in (1, 2)]
    files = [write_wav(tmp_path / f"{i}.wav", tones(words)) for i, words in enumerate(said)]
    sinks = [MemorySink(), MemorySink()]
    results = await asyncio.gather(
        *(run(file, tone_spec, sink=sink, job=file.name) for file, sink in zip(files, sinks, strict=True))
    )
    for words, result, sink in zip(said, results, sinks, strict=True):
        assert heard(result) == truth(words)
        assert [word.text for segment in result.segments for word in segment.words] == words
        assert result.language == "en"
        assert sorted(sink.executions) == [0, 1, 2]
        assert sink.stages == [Stage.DECODING, Stage.LOADING_MODEL, Stage.TRANSCRIBING]
        assert sink.hint_duration_ms == 75_000
        assert sink.segments == result.segments


@pytest.mark.parametrize("name", FORMATS)
async def test_every_container(name: str, run: Any, tone_spec: EngineSpec, tmp_path: Path) -> None:
    words = sequence(20, seed=4)
    file = encode(tmp_path / f"a.{name}", tones(words), name)
    result = await run(file, tone_spec, TranscribeOptions(language="en", vad=Vad.OFF))
    assert [text for _, _, text in heard(result)[:20]] == words
    assert result.summary.has_video == (name in ("mp4", "mkv"))
    assert len(result.summary.sha256) == 64


async def test_a_second_run_repeats_no_committed_window(
    run: Any, tone_spec: EngineSpec, tmp_path: Path
) -> None:
    words = sequence(95, seed=5)
    file = write_wav(tmp_path / "a.wav", tones(words))
    sink = MemorySink()
    calm = await run(file, tone_spec, sink=sink)
    for index in (1, 3):
        del sink.results[index]
    sink.executions.clear()
    again = await run(file, tone_spec, sink=sink)
    assert sorted(sink.executions) == [1, 3]
    assert heard(again) == heard(calm) == truth(words)


class Failing(MemorySink):
    """Loses the job at the third window."""

    async def started(self, window: Window) -> None:
        if window.index == 2:
            raise JobError("engine_failed", "lost")
        await super().started(window)


async def test_an_error_of_the_sink_ends_the_run(run: Any, tone_spec: EngineSpec, tmp_path: Path) -> None:
    file = write_wav(tmp_path / "a.wav", tones(sequence(90)))
    with pytest.raises(JobError, match="lost"):
        await run(file, tone_spec, sink=Failing())


async def test_cancelling_leaves_nothing_running(
    decoder: Decoder, tone_spec: EngineSpec, tmp_path: Path
) -> None:
    file = write_wav(tmp_path / "a.wav", tones(sequence(300)))
    pool = EnginePool(2, nice=0)
    sink = MemorySink()
    task = asyncio.create_task(
        transcribe(
            file,
            tone_spec,
            TranscribeOptions(vad=Vad.OFF, language="en"),
            job="a",
            decoder=decoder,
            pool=pool,
            sink=sink,
            limits=MediaLimits(),
            max_in_flight=3,
        )
    )
    while len(sink.executions) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    pids = [*decoder.pids, *(process.pid for process in pool.stats().processes)]
    assert len(pids) == 3
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1
    assert pool.stats().waiting == 0
    assert not any(psutil.pid_exists(pid) for pid in pids)
    await pool.close()


async def test_a_window_given_up_is_a_gap(run: Any, tone_spec: EngineSpec, tmp_path: Path) -> None:
    class GivenUp(MemorySink):
        async def plan(self, window: Window) -> WindowResult | None:
            await super().plan(window)
            return WindowResult(error="engine_failed") if window.index == 1 else None

    words = sequence(65)
    result = await run(write_wav(tmp_path / "a.wav", tones(words)), tone_spec, sink=GivenUp())
    assert [notice.code for notice in result.notices] == ["gaps"]
    assert heard(result) == truth(words)[:30] + truth(words)[60:]


def test_the_fingerprint_follows_what_matters(tone_spec: EngineSpec, speech_spec: EngineSpec) -> None:
    base = plan_fingerprint(TranscribeOptions(), tone_spec)
    assert base == plan_fingerprint(TranscribeOptions(), tone_spec)
    others = {
        plan_fingerprint(TranscribeOptions(vad=Vad.OFF), tone_spec),
        plan_fingerprint(TranscribeOptions(language="de"), tone_spec),
        plan_fingerprint(TranscribeOptions(), speech_spec),
    }
    assert len(others | {base}) == 4
