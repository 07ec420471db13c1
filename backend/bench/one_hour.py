"""A file of one hour and a model of base dimensions: the largest memory of the whole process tree, every 0.5 s."""

from __future__ import annotations

from collections.abc import Iterator

from bench.figures import Figure, at_most, duration, megabytes
from bench.lab import Lab
from bench.memory import Watch, spread
from bench.server import wall_seconds

BUDGET_MB = 1000


def measure(lab: Lab) -> Iterator[Figure]:
    """Uploading is part of it: the file passes through the server as a stream."""
    minutes = 2 if lab.quick else 60
    recording = lab.hiss(minutes * 60)
    with lab.server(lab.scripted) as server, Watch(server.pid) as watch:
        job = server.finish(server.upload(recording), limit_seconds=minutes * 120)
    peak = watch.peak
    name = f"Peak memory, {minutes} min, base dimensions"
    detail = f"PSS of {peak.processes} processes; RSS {megabytes(peak.rss)}"
    yield at_most(name, peak.pss / 1e6, BUDGET_MB, "MB", digits=0, detail=detail)
    yield Figure(f"Memory by process at that moment, {minutes} min", spread(peak))
    wall = wall_seconds(job)
    speed = f"{duration(wall)}, {minutes * 60 / wall:.1f} x real time, models loaded cold"
    yield Figure(f"Wall time, {minutes} min, base dimensions", speed)
