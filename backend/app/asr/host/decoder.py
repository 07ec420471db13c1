"""Reads recordings in a child process of its own: one per job, limited, and killed with the job."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.asr import codec
from app.asr.limits import MediaLimits
from app.asr.types import MediaSummary, Peaks, TranscribeOptions, Window
from app.core.child import frames, spawn
from app.core.errors import JobError

MODULE = "app.asr.host.decode_child"


@dataclass(frozen=True, slots=True)
class Probed:
    """The file is readable. `hint_ms` is the duration its header claims."""

    hint_ms: int | None


@dataclass(frozen=True, slots=True)
class Decoded:
    """So many milliseconds have been decoded."""

    ms: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A window and its samples: 16 kHz mono int16, little endian."""

    window: Window
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole file has been read."""

    summary: MediaSummary
    peaks: Peaks


Event = Probed | Decoded | Planned | Finished


class Decoder:
    """Starts decoder processes. `nice` lowers their priority."""

    def __init__(self, *, nice: int = 10) -> None:
        self._nice = nice
        self._running: set[asyncio.subprocess.Process] = set()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the decoders at work."""
        return tuple(process.pid for process in self._running)

    @asynccontextmanager
    async def open(
        self,
        source: Path,
        options: TranscribeOptions,
        limits: MediaLimits,
        *,
        window_ms: int | None = None,
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of one file, in order, `Finished` last. Leaving the block kills the process.

        Windows are of at most `window_ms` (None: 30 s).

        The process waits while its events are not taken, so at most one window is held here. The iterator raises
        JobError: `unsupported_media`, `no_audio_stream`, `media_invalid`, `audio_invalid`, `audio_too_short`,
        `duration_limit`, `decoder_killed` (retryable).
        """
        process = await spawn.start(MODULE)
        self._running.add(process)
        try:
            await self._request(process, source, options, limits, window_ms)
            yield _events(process, limits)
        finally:
            self._running.discard(process)
            await spawn.kill(process)

    async def _request(
        self,
        process: asyncio.subprocess.Process,
        source: Path,
        options: TranscribeOptions,
        limits: MediaLimits,
        window_ms: int | None,
    ) -> None:
        assert process.stdin is not None
        request = {
            "path": str(source.absolute()),
            "vad": options.vad.value,
            "mode": options.mode.value,
            "window_ms": window_ms,
            "parent": os.getpid(),
            "nice": self._nice,
            "max_audio_seconds": limits.max_audio_seconds,
            "memory_bytes": limits.memory_bytes,
            "cpu_seconds": limits.cpu_seconds,
        }
        process.stdin.write(frames.pack(request))
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()


async def _events(process: asyncio.subprocess.Process, limits: MediaLimits) -> AsyncIterator[Event]:
    assert process.stdout is not None
    waited = 0.0
    while True:
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(limits.stall_seconds, limits.total_seconds - waited)):
                frame = await frames.read_async(process.stdout)
        except TimeoutError:
            raise JobError("media_invalid", "Reading the file took too long and was stopped.") from None
        except frames.BrokenFrameError:
            raise _crashed("a broken message") from None
        waited += time.monotonic() - began
        if frame is None:
            raise _ended_early(await process.wait())
        event = _event(*frame)
        yield event
        if isinstance(event, Finished):
            return


def _event(message: frames.Json, payload: bytes) -> Event:
    match message["kind"]:
        case "probed":
            return Probed(message["hint_ms"])
        case "decoded":
            return Decoded(message["ms"])
        case "window":
            return Planned(codec.window_from_json(message["window"]), payload)
        case "finished":
            peaks = Peaks(**message["peaks"], data=payload)
            return Finished(codec.summary_from_json(message["summary"]), peaks)
        case _:
            raise JobError(message["code"], message["message"])


def _ended_early(code: int | None) -> JobError:
    """A bad file makes native code crash; it does not send SIGKILL or SIGTERM. Those come from whoever runs the machine,
    or from the kernel where memory ran out, and another try may go well."""
    if code in (-signal.SIGKILL, -signal.SIGTERM):
        return JobError(
            "decoder_killed",
            f"The program that reads media files was killed ({spawn.describe_exit(code)}). Look whether the machine ran"
            " out of memory.",
            retryable=True,
        )
    return _crashed(spawn.describe_exit(code))


def _crashed(how: str) -> JobError:
    return JobError(
        "media_invalid",
        f"The program that reads media files broke on this one ({how}). It is probably damaged: convert or export"
        " it again and upload the new file.",
    )
