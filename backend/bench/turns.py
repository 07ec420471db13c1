"""A job and the bare engine on the same recording, slice by slice in turns, both warm.

How fast a rented machine is changes from minute to minute by more than a job costs. So both sides are at work in the
same minutes: for some seconds the one, while the processes of the other stand still, then the other way round.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median

import psutil

from app.asr.types import Vad
from bench.bare import BareEngines, Decoded, decode
from bench.figures import duration
from bench.lab import Lab
from bench.processes import cpu_seconds
from bench.server import POLL_SECONDS, Json, Server, wall_seconds

LIMIT_SECONDS = 3600.0
SLICE_SECONDS = 4.0  # less than a window takes


@dataclass(slots=True)
class Turns:
    """Seconds of each round of both sides: by the wall's clock, and CPU time over all processes."""

    job: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    job_cpu: list[float] = field(default_factory=list)
    bare_cpu: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the rounds' own ratios."""
        return median(job / bare for job, bare in zip(self.job, self.bare, strict=True))

    @property
    def cpu_ratio(self) -> float:
        return median(job / bare for job, bare in zip(self.job_cpu, self.bare_cpu, strict=True))

    @property
    def detail(self) -> str:
        """Both medians, and the ratio of every round."""
        each = ", ".join(f"{job / bare:.3f}" for job, bare in zip(self.job, self.bare, strict=True))
        return f"{duration(median(self.job))} over {duration(median(self.bare))}; each round {each}"


class _Pauses:
    """Processes that stand still for a while, and how long they did."""

    def __init__(self, pids: Callable[[], list[int]]) -> None:
        self._pids = pids
        self._spans: list[tuple[float, float]] = []

    @contextmanager
    def standing(self) -> Iterator[None]:
        stopped = self._pids()  # looking for them takes a while, in which they are still at work
        self._signal(stopped, signal.SIGSTOP)
        began = time.time()
        try:
            yield
        finally:
            self._signal(stopped, signal.SIGCONT)
            self._spans.append((began, time.time()))

    def seconds(self, before: float) -> float:
        """Of the pauses that began before that moment (seconds since 1970)."""
        return sum(end - began for began, end in self._spans if began < before)

    @staticmethod
    def _signal(pids: list[int], number: int) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def take_turns(
    lab: Lab, recording: Path, *, vad: Vad, rounds: int, warm_up: Path, model: Path | None = None
) -> Turns:
    """The job finds windows with `vad`; the bare side has fixed ones, decoded before. Both hear `warm_up` first."""
    turns = Turns()
    model = model or lab.scripted
    windows = decode(recording, recording.with_suffix(".pcm"))
    with lab.server(model) as server, BareEngines(server.engine_processes, model) as bare:
        server.finish(server.upload(warm_up), limit_seconds=LIMIT_SECONDS)
        bare.run(decode(warm_up, warm_up.with_suffix(".warm.pcm")))  # both have loaded their models now
        job: Json | None = None
        for _ in range(rounds):
            job_cpu, bare_cpu = cpu_seconds(server.pid), cpu_seconds(*bare.pids)
            begun = server.upload(recording, vad=vad.value) if job is None else server.again(job)
            job = _round(server, bare, windows, begun, turns)
            turns.job_cpu.append(cpu_seconds(server.pid) - job_cpu)
            turns.bare_cpu.append(cpu_seconds(*bare.pids) - bare_cpu)
    return turns


def _round(server: Server, bare: BareEngines, windows: Decoded, job: Json, turns: Turns) -> Json:
    """The job, to its end, beside the bare engine's run over `windows`."""
    # The server itself goes on, which costs next to nothing: leases of a server that stands still would end.
    job_side = _Pauses(lambda: [child.pid for child in psutil.Process(server.pid).children(recursive=True)])
    bare_side = _Pauses(lambda: bare.pids)
    with ThreadPoolExecutor(1) as beside:
        with bare_side.standing():  # it has begun, and does nothing yet
            running = beside.submit(lambda: (bare.run(windows), time.time()))
            over = _wait(lambda: server.is_over(job))
        while not (over and running.done()):
            if not running.done():
                with job_side.standing():
                    _wait(running.done)
            if not over:
                with bare_side.standing():
                    over = _wait(lambda: server.is_over(job))
        done = server.finish(job, limit_seconds=LIMIT_SECONDS)
        bare_seconds, bare_finished = running.result()
    finished = datetime.fromisoformat(done["finished_at"]).timestamp()
    turns.job.append(wall_seconds(done) - job_side.seconds(before=finished))
    turns.bare.append(bare_seconds - bare_side.seconds(before=bare_finished))
    return done


def _wait(over: Callable[[], bool]) -> bool:
    """For a slice, or until it is over; whether it is."""
    until = time.monotonic() + SLICE_SECONDS
    while time.monotonic() < until:
        if over():
            return True
        time.sleep(POLL_SECONDS)
    return over()
