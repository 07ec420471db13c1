"""Three jobs of base dimensions at once on this machine's cores: each at or under real time, all within 2 GB.

The server and everything it started run in a control group of 2 GB, page cache included, where this user may make
one (root may); the figure says whether it did. Memory is their PSS, every 0.5 s. The server shares its engine
processes among the three, window by window.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.cage import cage
from bench.chart import Chart, Line, Lines
from bench.figures import Figure, at_most, duration
from bench.lab import Lab
from bench.memory import Watch, spread
from bench.server import wall_seconds

BUDGET_MB = 2000
JOBS = 3


def measure(lab: Lab) -> Iterator[Figure | Chart]:
    """Jobs start within a second of each other; their wall time counts from their own creation."""
    minutes = 2 if lab.quick else 20
    recording = lab.hiss(minutes * 60)
    with cage(BUDGET_MB * 1_000_000) as group:
        with lab.server(lab.scripted, cage=group) as server, Watch(server.pid) as watch:
            begun = [server.upload(recording) for _ in range(JOBS)]
            done = [server.finish(job, limit_seconds=minutes * 60 * 4) for job in begun]
        limited = (
            f"inside a limit of {BUDGET_MB / 1000:.0f} GB, {group.kills()} killed" if group else "not limited"
        )
    slowest = max(wall_seconds(job) for job in done)
    each = ", ".join(duration(wall_seconds(job)) for job in done)
    yield at_most(
        f"{JOBS} jobs at once of {minutes} min, base: slowest over its audio",
        slowest / (minutes * 60),
        1.0,
        "",
        detail=each,
    )
    peak = watch.peak
    yield at_most(
        f"Peak memory, {JOBS} jobs at once",
        peak.pss / 1e6,
        BUDGET_MB,
        "MB",
        digits=0,
        detail=f"PSS of {peak.processes} processes, {limited}",
    )
    yield Figure("Memory by process at that moment, PSS", spread(peak))
    began = watch.samples[0].at
    points = [(sample.at - began, sample.pss / 1e6) for sample in watch.samples]
    title = f"Memory while {JOBS} jobs of {minutes} min run at once"
    yield Lines("three-jobs", title, "seconds", "MB (PSS)", [Line("all processes", points)], BUDGET_MB)
