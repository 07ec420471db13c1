"""A job and the bare engine on the same recording, in turns, both warm."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from app.asr.types import Vad
from bench.bare import BareEngines, decode
from bench.figures import duration
from bench.lab import Lab
from bench.processes import cpu_seconds
from bench.server import Json, wall_seconds

LIMIT_SECONDS = 1800.0


@dataclass(slots=True)
class Turns:
    """Seconds of each turn of both sides: by the wall's clock, and CPU time over all processes."""

    job: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    job_cpu: list[float] = field(default_factory=list)
    bare_cpu: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the turns' own ratios: what slows the machine for a while slows both sides of a turn."""
        return median(job / bare for job, bare in zip(self.job, self.bare, strict=True))

    @property
    def cpu_ratio(self) -> float:
        return median(self.job_cpu) / median(self.bare_cpu)

    @property
    def detail(self) -> str:
        """Both medians, and the ratio of every turn."""
        each = ", ".join(f"{job / bare:.3f}" for job, bare in zip(self.job, self.bare, strict=True))
        return f"{duration(median(self.job))} over {duration(median(self.bare))}; each turn {each}"


def take_turns(lab: Lab, recording: Path, *, vad: Vad, rounds: int, warm_up: Path) -> Turns:
    """The job finds windows with `vad`; the bare side has fixed ones, decoded before. The side that begins changes,
    so that a drifting machine favours neither. Both hear `warm_up` first."""
    turns = Turns()
    windows = decode(recording, recording.with_suffix(".pcm"))
    with lab.server(lab.scripted) as server, BareEngines(server.engine_processes, lab.scripted) as bare:
        server.finish(server.upload(warm_up), limit_seconds=LIMIT_SECONDS)
        bare.run(decode(warm_up, warm_up.with_suffix(".warm.pcm")))  # both have loaded their models now
        job: Json | None = None
        for turn in range(rounds):
            for side in ("bare", "job") if turn % 2 else ("job", "bare"):
                before = cpu_seconds(*(bare.pids if side == "bare" else (server.pid,)))
                if side == "bare":
                    turns.bare.append(bare.run(windows))
                    turns.bare_cpu.append(cpu_seconds(*bare.pids) - before)
                else:
                    begun = server.upload(recording, vad=vad.value) if job is None else server.again(job)
                    done = job = server.finish(begun, limit_seconds=LIMIT_SECONDS)
                    turns.job.append(wall_seconds(done))
                    turns.job_cpu.append(cpu_seconds(server.pid) - before)
    return turns
