"""Tells the voices of a recording apart in a child process of its own: limited, and killed with its caller."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from app.asr.diarization.types import Embedder, Region, Turn, turns_from_json
from app.asr.limits import MediaLimits
from app.core.child import frames, spawn
from app.core.errors import JobError

MODULE = "app.asr.diarization.child"
MAX_SPEAKERS = 8
Progress = Callable[[float], None]


async def diarize(
    source: Path,
    regions: Iterable[Region] | None,
    *,
    embedder: Embedder,
    speakers: int | None = None,
    max_speakers: int = MAX_SPEAKERS,
    limits: MediaLimits | None = None,
    nice: int = 10,
    progress: Progress | None = None,
    module: str = MODULE,
) -> list[Turn]:
    """Who speaks when, in order, none overlapping; empty where nobody speaks.

    `regions` are the stretches of speech in ms, those of the plan's windows; None looks for speech first. `speakers`
    is their number where it is known, else at most `max_speakers` are found. `progress` is told a fraction 0..1 now
    and then. Cancelling kills the process. Raises JobError `diarization_failed`.
    """
    limits = limits or MediaLimits()
    request = {
        "path": str(source.absolute()),
        "regions": None if regions is None else [[start, end] for start, end in regions],
        "model": embedder.model,
        "speakers": speakers,
        "max_speakers": max_speakers,
        "parent": os.getpid(),
        "nice": nice,
        "max_audio_seconds": limits.max_audio_seconds,
        "memory_bytes": limits.memory_bytes,
        "cpu_seconds": limits.cpu_seconds,
    }
    process = await spawn.start(module)
    try:
        assert process.stdin is not None
        process.stdin.write(frames.pack(request))
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        return await _answer(process, limits, progress)
    finally:
        await spawn.kill(process)


async def _answer(
    process: asyncio.subprocess.Process, limits: MediaLimits, progress: Progress | None
) -> list[Turn]:
    assert process.stdout is not None
    deadline = time.monotonic() + limits.total_seconds
    while True:
        try:
            async with asyncio.timeout(max(0.0, min(limits.stall_seconds, deadline - time.monotonic()))):
                frame = await frames.read_async(process.stdout)
        except TimeoutError:
            raise _failed("Telling the voices apart took too long and was stopped.") from None
        except frames.BrokenFrameError:
            raise _crashed("a broken message") from None
        if frame is None:
            raise _crashed(spawn.describe_exit(await process.wait()))
        message = frame[0]
        match message.get("kind"):
            case "progress":
                if progress is not None:
                    progress(message["fraction"])
            case "turns":
                return turns_from_json(message["turns"])
            case "failed":
                raise _failed(message["message"])
            case _:
                raise _crashed("a broken message")


def _failed(message: str) -> JobError:
    return JobError("diarization_failed", message)


def _crashed(how: str) -> JobError:
    return _failed(
        f"The program that tells voices apart broke on this recording ({how}). The text is not touched. Try again, or"
        " check the model with `transcribe models verify`."
    )
