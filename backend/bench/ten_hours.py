"""A file of ten hours through the tone model: memory of the process tree over time, and every word right.

The recording has one tone a second, the model one word for each tone; so the text is known. The model is a small
one, which makes this measurement about everything else: a real model adds its own size once an engine process.
Flat means that the median around 90 % of the job is at most a tenth over the one around 10 %.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from bench.chart import Chart, Line, Lines
from bench.figures import Figure, at_most, duration, megabytes
from bench.lab import Lab
from bench.memory import Watch
from bench.recordings import write_tones
from bench.server import Server, wall_seconds
from tests.fixtures import tone_model

BUDGET_MB = 1000
BUDGET_GROWTH = 1.1


def measure(lab: Lab) -> Iterator[Figure | Chart]:
    """Reading the finished transcript in one answer is measured apart: it is what costs most afterwards."""
    hours = 1 if lab.quick else 10
    recording = lab.folder / "tones.flac"
    said = write_tones(recording, hours * 3600, tone_model.WORDS)
    with lab.server(lab.tones) as server:
        with Watch(server.pid) as watch:
            job = server.upload(recording)
            began = time.monotonic()
            job = server.finish(job, limit_seconds=hours * 1800)
            ended = time.monotonic()
        with Watch(server.pid) as reading_watch:
            result, reading = _read(server, job)
            time.sleep(1)  # for a sample at least
    early, late = (watch.around(began, ended, share) for share in (0.1, 0.9))
    peak, wall = watch.peak, wall_seconds(job)
    detail = f"PSS of {peak.processes} processes; RSS {megabytes(peak.rss)}"
    yield at_most(
        f"Peak memory, {hours} h, tone model", peak.pss / 1e6, BUDGET_MB, "MB", digits=0, detail=detail
    )
    detail = f"{megabytes(early)} at 10 %, {megabytes(late)} at 90 %"
    yield at_most(f"Growth of memory, {hours} h", late / early, BUDGET_GROWTH, "", digits=3, detail=detail)
    heard = [word for segment in result["segments"] for word in segment["text"].replace(".", " ").split()]
    right = sum(a == b for a, b in zip(heard, said, strict=False))
    yield Figure(
        f"Words right, {hours} h",
        f"{right:,} of {len(said):,} ({len(heard):,} heard)",
        "all",
        right == len(said) == len(heard),
    )
    points = [((sample.at - began) / 60, sample.pss / 1e6) for sample in watch.samples if sample.at >= began]
    title = f"Memory while a file of {hours} h is transcribed, tone model"
    yield Lines(
        "ten-hours", title, "minutes", "MB (PSS)", [Line("all processes", points[:: len(points) // 400 + 1])]
    )
    yield Figure(
        f"Wall time, {hours} h, tone model", f"{duration(wall)}, {hours * 3600 / wall:.0f} x real time"
    )
    yield Figure(
        f"Reading the result of {hours} h",
        f"{reading:.2f} s; {megabytes(reading_watch.peak.pss)} PSS in all processes by then",
    )


def _read(server: Server, job: dict[str, Any]) -> tuple[dict[str, Any], float]:
    began = time.monotonic()
    result = server.call("GET", f"/api/jobs/{job['id']}/result")
    return result, time.monotonic() - began
