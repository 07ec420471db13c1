"""A version of a recording that browsers play: made in a child process of low priority, audio only."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from app.core.child import frames, spawn
from app.core.errors import JobError

MODULE = "app.asr.host.rendition_child"


@dataclass(frozen=True, slots=True)
class RenditionLimits:
    """What making one may cost. The output of twelve hours is well under `file_bytes`."""

    memory_bytes: int = 2 << 30
    cpu_seconds: int = 7200
    file_bytes: int = 4 << 30
    total_seconds: float = 4 * 3600.0
    nice: int = 19


async def make_clean_copy(source: Path, target: Path, limits: RenditionLimits | None = None) -> None:
    """Write the sound of `source` to `target` as audio/mp4, with no tag and no picture. Raises as `make_rendition`."""
    await _make(source, target, limits or RenditionLimits(), clean=True)


async def make_rendition(source: Path, target: Path, limits: RenditionLimits | None = None) -> str | None:
    """Write to `target` what browsers play, and answer its content type; None where they play `source` itself.

    Raises JobError: `unsupported_media`, `no_audio_stream`, `media_invalid`; `retryable` where the process died or
    took too long. Being cancelled kills the process.
    """
    return await _make(source, target, limits or RenditionLimits(), clean=False)


async def _make(source: Path, target: Path, limits: RenditionLimits, *, clean: bool) -> str | None:
    process = await spawn.start(MODULE)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        request = {
            "source": str(source.absolute()),
            "target": str(target.absolute()),
            "clean": clean,
            "parent": os.getpid(),
            "nice": limits.nice,
            "memory_bytes": limits.memory_bytes,
            "cpu_seconds": limits.cpu_seconds,
            "file_bytes": limits.file_bytes,
        }
        process.stdin.write(frames.pack(request))
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        async with asyncio.timeout(limits.total_seconds):
            answer = await frames.read_async(process.stdout)
            if answer is None:
                await process.wait()
    except TimeoutError as error:
        raise JobError("media_invalid", "Making a playable version took too long.", retryable=True) from error
    except frames.BrokenFrameError:
        answer = None
    finally:
        await spawn.kill(process)
    if answer is None:
        ended = spawn.describe_exit(process.returncode)
        raise JobError("media_invalid", f"Making a playable version ended with {ended}.", retryable=True)
    message = answer[0]
    if message["kind"] == "failed":
        raise JobError(message["code"], message["message"])
    content_type: str | None = message["content_type"]
    return content_type
