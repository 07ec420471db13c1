"""CPU time and memory of telling speakers apart in one channel, by the length of the recording.

A conversation of four synthetic voices is repeated. The model of voices is the one of the tests, which costs next to
nothing: the figures hold for all that is around a model, and a real one adds its own time (two seconds of audio for
each second of speech).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.asr.diarization import Embedder, Turn, diarize
from bench.figures import Figure, at_most, duration
from bench.lab import Lab
from bench.recordings import write_repeated
from tests.fixtures import dialogue, voice_model

MEMORY_BUDGET = 256.0  # MB, whatever the length
EVERY_SECONDS = 0.2
SCORED_MS = 30 * 60_000


def measure(lab: Lab) -> Iterator[Figure]:
    """One hour, and ten times that."""
    embedder = Embedder(str(voice_model.build(lab.folder / "voices.onnx")))
    recording = lab.folder / "speakers.flac"
    for minutes in (6, 60) if lab.quick else (60, 600):
        length = write_repeated(recording, dialogue.FOUR, minutes)
        truth = [
            Turn(turn.start_ms + n * length, turn.end_ms + n * length, turn.speaker)
            for n in range(minutes)
            for turn in dialogue.truth(dialogue.FOUR)
        ]
        run = asyncio.run(_run(recording, truth, embedder))
        name = f"Telling four speakers apart, {duration(minutes * length / 1000)}"
        speech = duration(sum(turn.end_ms - turn.start_ms for turn in truth) / 1000)
        found = len({turn.speaker for turn in run.turns})
        error = dialogue.error_rate(_head(truth), _head(run.turns)).total
        detail = f"{speech} of speech, wall {duration(run.wall)}, found {found}, error rate {error:.1%}"
        yield Figure(f"{name}: CPU time", f"{duration(run.cpu)} ({detail})")
        yield at_most(f"{name}: memory", run.memory / 1e6, MEMORY_BUDGET, "MB", digits=0)
    recording.unlink()


def _head(turns: list[Turn]) -> list[Turn]:
    """The turns of the first half hour: the measure counts every hundredth of a second in Python."""
    return [turn for turn in turns if turn.end_ms <= SCORED_MS]


@dataclass(slots=True)
class _Run:
    """What one diarization took. CPU and wall time in seconds, the largest memory of the process in bytes."""

    turns: list[Turn]
    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0


async def _run(recording: Path, truth: list[Turn], embedder: Embedder) -> _Run:
    run = _Run([])
    watch = asyncio.create_task(_watch(run))
    began = time.monotonic()
    regions = [(turn.start_ms, turn.end_ms) for turn in truth]
    run.turns = await diarize(recording, regions, embedder=embedder, nice=0)
    run.wall = time.monotonic() - began
    watch.cancel()
    return run


async def _watch(run: _Run) -> None:
    """Looks at the child now and then: its last look misses less than a quarter of a second."""
    while True:
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = child.cpu_times()
                run.cpu = max(run.cpu, times.user + times.system)
                run.memory = max(run.memory, child.memory_info().rss)
        await asyncio.sleep(EVERY_SECONDS)
