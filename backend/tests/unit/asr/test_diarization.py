"""Conversations in one channel, through the child process and the real sherpa-onnx with a tiny model."""

from __future__ import annotations

import asyncio
import os
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.asr.diarization import Embedder, Turn, assign, diarize
from app.asr.limits import MediaLimits
from app.asr.sinks import MemorySink
from app.asr.types import EngineSpec, TranscribeOptions
from app.core.errors import JobError
from tests.fixtures import dialogue, speech, voice_model
from tests.unit.asr.recordings import wav


@pytest.fixture(scope="session")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return Embedder(str(voice_model.build(tmp_path_factory.mktemp("voices") / "tiny.onnx")))


def speakers(turns: list[Turn]) -> list[str]:
    return sorted({turn.speaker for turn in turns})


@pytest.mark.parametrize(
    ("file", "count"),
    [
        (dialogue.ONE, 1),
        (dialogue.TWO, 2),
        (dialogue.FOUR, 4),
        (speech.DIALOGUE, 2),
        (speech.MONOLOGUE, 1),
    ],
    ids=["one", "two", "four", "stereo as one channel", "monologue"],
)
async def test_finds_how_many_and_who(file: Path, count: int, embedder: Embedder) -> None:
    told: list[float] = []
    turns = await diarize(file, None, embedder=embedder, nice=0, progress=told.append)
    assert len(speakers(turns)) == count
    truth = dialogue.truth(file)
    assert dialogue.error_rate(truth, turns).total <= 0.01
    assert dialogue.error_rate(truth, turns, collar_ms=0).total <= 0.10
    assert turns[0].speaker == "S1"
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(turns))
    assert told == sorted(told)


@pytest.mark.parametrize("asked", [1, 2, 3, 4])
async def test_the_number_asked_for_is_kept(asked: int, embedder: Embedder) -> None:
    turns = await diarize(dialogue.FOUR, None, embedder=embedder, speakers=asked, nice=0)
    assert speakers(turns) == [f"S{n}" for n in range(1, asked + 1)]


async def test_the_most_there_may_be_is_kept(embedder: Embedder) -> None:
    turns = await diarize(dialogue.FOUR, None, embedder=embedder, max_speakers=3, nice=0)
    assert len(speakers(turns)) in (2, 3)
    turns = await diarize(dialogue.FOUR, None, embedder=embedder, max_speakers=1, nice=0)
    assert speakers(turns) == ["S1"]


async def test_turns_stay_inside_the_regions(embedder: Embedder) -> None:
    regions = [(start, end) for _, start, end, _ in dialogue.said(dialogue.TWO)][:6]
    turns = await diarize(dialogue.TWO, regions, embedder=embedder, nice=0)
    assert turns[0].start_ms == regions[0][0]
    assert turns[-1].end_ms == regions[-1][1]
    truth = [turn for turn in dialogue.truth(dialogue.TWO) if turn.end_ms <= regions[-1][1]]
    assert dialogue.error_rate(truth, turns, collar_ms=0).total <= 0.05


async def test_nobody_speaks(tmp_path: Path, embedder: Embedder) -> None:
    path = tmp_path / "silence.wav"
    path.write_bytes(wav(bytes(2 * 16_000 * 3)))
    assert await diarize(path, None, embedder=embedder, nice=0) == []
    assert await diarize(path, [], embedder=embedder, nice=0) == []


async def test_regions_without_a_voice_or_beyond_the_end_do_no_harm(
    tmp_path: Path, embedder: Embedder
) -> None:
    path = tmp_path / "silence.wav"
    path.write_bytes(wav(bytes(2 * 16_000 * 3)))
    turns = await diarize(path, [(0, 1000), (2500, 9000)], embedder=embedder, nice=0)
    assert speakers(turns) == ["S1"]
    assert await diarize(path, [(60_000, 62_000)], embedder=embedder, nice=0) == [Turn(60_000, 62_000, "S1")]


async def failure(source: Path, embedder: Embedder, **options: object) -> str:
    with pytest.raises(JobError) as caught:
        await diarize(source, None, embedder=embedder, nice=0, **options)  # type: ignore[arg-type]
    assert caught.value.code == "diarization_failed"
    return caught.value.message


async def test_what_cannot_be_read_is_a_typed_error(tmp_path: Path, embedder: Embedder) -> None:
    assert "no longer" in await failure(tmp_path / "gone.wav", embedder)
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF" + bytes(100))
    assert await failure(broken, embedder)


@pytest.mark.parametrize("content", [b"", b"no model", np.arange(4000, dtype=np.uint8).tobytes()])
async def test_a_file_that_is_no_model_ends_the_child_only(tmp_path: Path, content: bytes) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(content)
    assert await failure(dialogue.ONE, Embedder(str(model)))


async def test_a_crash_and_a_hang_are_told(embedder: Embedder) -> None:
    assert "broke" in await failure(dialogue.ONE, embedder, module="tests.unit.asr.dying_child")
    for limits in (MediaLimits(total_seconds=0.5), MediaLimits(stall_seconds=0.5)):
        message = await failure(dialogue.ONE, embedder, module="tests.unit.asr.hanging_child", limits=limits)
        assert "too long" in message


async def test_cancelling_kills_the_child(embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    begin = asyncio.create_subprocess_exec

    async def watched(*arguments: object, **options: object) -> object:
        process = await begin(*arguments, **options)  # type: ignore[arg-type]
        started.append(process.pid)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    work = asyncio.create_task(
        diarize(dialogue.ONE, None, embedder=embedder, nice=0, module="tests.unit.asr.hanging_child")
    )
    async with asyncio.timeout(10):
        while not started:  # noqa: ASYNC110 (nothing tells that a process was started)
            await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], signal.SIG_DFL)


@pytest.mark.parametrize("file", [dialogue.TWO, speech.DIALOGUE], ids=["two", "stereo as one channel"])
async def test_every_word_has_its_speaker(
    file: Path, run: Any, speech_spec: EngineSpec, embedder: Embedder
) -> None:
    """From the recording to segments with speakers, as a job goes: windows, text, turns."""
    sink = MemorySink()
    result = await run(file, speech_spec, TranscribeOptions(), sink=sink)
    regions = [region for _, window in sorted(sink.windows.items()) for region in window.speech]
    turns = await diarize(file, regions, embedder=embedder, nice=0)
    segments = assign(turns, result.segments)
    assert " ".join(segment.text for segment in segments) == result.text
    truth = dialogue.truth(file)
    names = dict(zip(("S1", "S2"), dict.fromkeys(turn.speaker for turn in truth), strict=True))
    words = [(names[segment.speaker or ""], word) for segment in segments for word in segment.words]
    right = [
        any(
            t.speaker == name and t.start_ms - 200 < (w.start_ms + w.end_ms) / 2 < t.end_ms + 200
            for t in truth
        )
        for name, w in words
    ]
    assert sum(right) >= 0.95 * len(words) > 0
