"""The engine alone: the same processes, threads, windows and parameters as the server's, and nothing around them."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import numpy as np

from app.asr.engines import registry
from app.asr.host.decoder import Decoder, Planned
from app.asr.limits import MediaLimits
from app.asr.types import EngineSpec, TranscribeOptions, Vad, Window, WindowOptions
from app.core.child import confine
from app.core.child.spawn import child_environment

NICE = 10  # as the pool's children, so that others on the machine trouble both alike
LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A recording as windows; `samples` is a file of 16 kHz int16 samples, `spans` each window's place in it."""

    samples: Path
    windows: tuple[Window, ...]
    spans: tuple[tuple[int, int], ...]


def decode(recording: Path, samples: Path, vad: Vad = Vad.OFF) -> Decoded:
    """Runs the product's decoder once and keeps what it gives."""

    async def run() -> Decoded:
        windows, spans, at = [], [], 0
        options = TranscribeOptions(language=LANGUAGE, vad=vad)
        with samples.open("wb") as file:
            async with Decoder().open(recording, options, MediaLimits()) as events:
                async for event in events:
                    if isinstance(event, Planned):
                        file.write(event.pcm)
                        windows.append(event.window)
                        spans.append((at, at + len(event.pcm) // 2))
                        at = spans[-1][1]
        return Decoded(samples, tuple(windows), tuple(spans))

    return asyncio.run(run())


class BareEngines:
    """Processes that hold the model and take windows from a shared counter; they end with the block."""

    def __init__(self, count: int, model: Path) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._next = spawn.Value("i", 0)
        self._pipes: list[Connection] = []
        self._processes = []
        os.environ.update({name: v for name, v in child_environment().items() if name.endswith("_THREADS")})
        for _ in range(count):
            ours, theirs = spawn.Pipe()
            spec = EngineSpec("whisper_cpp", model.name, str(model))
            process = spawn.Process(target=_serve, args=(theirs, spec, self._next), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Self:
        self._answers()  # loaded
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(30)
            if process.is_alive():
                process.kill()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes if process.pid is not None]

    def run(self, decoded: Decoded) -> float:
        """Seconds until all windows are done."""
        self._next.value = 0
        began = time.monotonic()
        for pipe in self._pipes:
            pipe.send(decoded)
        done = sum(self._answers())
        if done != len(decoded.windows):
            raise RuntimeError(f"{done} of {len(decoded.windows)} windows were done")
        return time.monotonic() - began

    def _answers(self) -> list[int]:
        try:
            return [pipe.recv() for pipe in self._pipes]
        except EOFError:
            raise RuntimeError("an engine process of the bare side died") from None


def _serve(pipe: Connection, spec: EngineSpec, following: Any) -> None:
    os.setpgrp()  # as the pool's children
    confine.limit(nice=NICE)
    with Path(os.devnull).open("w") as nowhere:  # the library tells every buffer it makes
        os.dup2(nowhere.fileno(), 2)
    engine = registry.create(spec.engine)
    engine.load(spec)
    pipe.send(0)
    while True:
        try:
            decoded: Decoded = pipe.recv()
        except EOFError:
            return
        pipe.send(_work(engine, decoded, following))


def _work(engine: Any, decoded: Decoded, following: Any) -> int:
    pcm = np.memmap(decoded.samples, "<i2", "r")
    done = 0
    while True:
        with following.get_lock():
            at, following.value = following.value, following.value + 1
        if at >= len(decoded.windows):
            return done
        first, end = decoded.spans[at]
        samples = np.asarray(pcm[first:end]).astype(np.float32) / 32768.0
        engine.transcribe(samples, decoded.windows[at], WindowOptions(language=LANGUAGE))
        done += 1
