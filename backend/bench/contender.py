"""One engine in one process of its own, asked for one window at a time: so that builds can take turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from app.asr.types import EngineSpec
from app.core.child.spawn import child_environment

BACKEND = Path(__file__).resolve().parents[1]
WINDOW_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of one window: by the wall's clock, and of CPU time, which depends less on what else runs."""

    wall: float
    cpu: float


class Contender:
    """Loaded on entering the block; `side` is a folder whose packages come before the environment's."""

    def __init__(self, spec: EngineSpec, side: Path | None = None) -> None:
        self._spec = spec
        self._side = side
        self._process: subprocess.Popen[str] | None = None
        self.build = ""

    def __enter__(self) -> Self:
        environment = child_environment() | {"PATH": os.environ.get("PATH", "")}
        if self._side is not None:
            environment["PYTHONPATH"] = os.pathsep.join((str(self._side), environment["PYTHONPATH"]))
        self._process = subprocess.Popen(
            [sys.executable, "-s", "-m", "bench.contender"],
            cwd=BACKEND,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.build = self._ask(asdict(self._spec))["build"]
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def window(self) -> Taken:
        """What one window of 30 s took."""
        answer = self._ask({})
        return Taken(answer["seconds"], answer["cpu"])

    @property
    def memory(self) -> int:
        """Bytes of the process now: resident, shared libraries included."""
        assert self._process is not None
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._spec.engine} died, code {self._process.wait()}")
        result: dict[str, Any] = json.loads(answer)
        return result


def _serve() -> None:
    """The process itself: one line in, one line out."""
    import time

    import numpy as np

    from app.asr.engines import registry
    from app.asr.types import Window, WindowOptions
    from app.core.child import confine

    pipe = confine.protocol_pipe()
    engine = registry.create(json.loads(line := sys.stdin.readline())["engine"])
    engine.load(EngineSpec(**json.loads(line)))
    build = sys.modules["_pywhispercpp"].whisper_print_system_info() if "_pywhispercpp" in sys.modules else ""
    pipe.write(json.dumps({"build": build}).encode() + b"\n")
    pipe.flush()
    sound = np.random.default_rng(0).standard_normal(16_000 * WINDOW_SECONDS, np.float32) * np.float32(0.05)
    while sys.stdin.readline():
        began, cpu = time.perf_counter(), time.process_time()
        result = engine.transcribe(sound, Window(0, 0, WINDOW_SECONDS * 1000), WindowOptions("en"))
        taken, cpu = time.perf_counter() - began, time.process_time() - cpu
        words = sum(len(segment.text.split()) for segment in result.segments)
        pipe.write(json.dumps({"seconds": taken, "cpu": cpu, "words": words}).encode() + b"\n")
        pipe.flush()


if __name__ == "__main__":
    _serve()
