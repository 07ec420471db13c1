"""Wall time of a job over the bare engine on the same windows, both warm, in turns.

The bare side loops over the engine class in as many spawned processes as the server has engine processes, on
windows that were decoded before: no pool, no database, no decoding. The job counts from its creation to its end.
CPU time of both sides is told beside it, because it does not depend on what else the machine does.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bench.bare import BareEngines, decode
from bench.figures import Figure, at_most, duration
from bench.lab import Lab
from bench.processes import cpu_seconds
from bench.server import wall_seconds

BUDGET = 1.05


def measure(lab: Lab) -> Iterator[Figure]:
    """Each round runs both sides; the side that begins changes, so that a drifting machine favours neither."""
    minutes, rounds = (5, 2) if lab.quick else (10, 5)
    recording = lab.hiss(minutes * 60)
    windows = decode(recording, lab.folder / "overhead.pcm")
    bare_seconds, job_seconds, bare_cpu, job_cpu = [], [], [], []
    with lab.server(lab.scripted) as server, BareEngines(server.engine_processes, lab.scripted) as bare:
        limit = 60.0 * len(windows.windows)
        job = server.finish(server.upload(recording), limit_seconds=limit)  # loads the models, warms both up
        bare.run(windows)
        for turn in range(rounds):
            for side in ("bare", "job") if turn % 2 else ("job", "bare"):
                if side == "bare":
                    before = cpu_seconds(*bare.pids)
                    bare_seconds.append(bare.run(windows))
                    bare_cpu.append(cpu_seconds(*bare.pids) - before)
                else:
                    before = cpu_seconds(server.pid)
                    done = server.finish(server.again(job), limit_seconds=limit)
                    job_seconds.append(wall_seconds(done))
                    job_cpu.append(cpu_seconds(server.pid) - before)
    ratios = ", ".join(f"{j / b:.3f}" for j, b in zip(job_seconds, bare_seconds, strict=True))
    ratio = median(job_seconds) / median(bare_seconds)
    name = f"Job over bare engine, {minutes} min, base dimensions"
    detail = f"{duration(median(job_seconds))} over {duration(median(bare_seconds))}; rounds {ratios}"
    yield at_most(name, ratio, BUDGET, "", digits=3, detail=detail)
    spent, least = median(job_cpu), median(bare_cpu)
    yield Figure(
        "CPU time, job over bare engine",
        f"{spent / least:.3f} ({duration(spent)} over {duration(least)}; the job decodes, too)",
    )
