"""Latency of the API while two transcriptions keep every core busy: 100 reads a second for half a minute.

The mix: a running job 40 %, the list of jobs 25 %, who am I 15 %, the transcript of a finished job 10 %, /health
10 %. Requests leave by the clock; latency counts from the moment a request was due.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from bench.figures import Figure, at_most
from bench.lab import Lab
from bench.load import Load, Request
from bench.server import Json, Server

BUDGET_MS = 200
PER_SECOND = 100
LONG_SECONDS = 3600  # far more than is transcribed while the load runs


def measure(lab: Lab) -> Iterator[Figure]:
    """The jobs run first until both have text; afterwards they are cancelled."""
    seconds = 10 if lab.quick else 30
    with lab.server(lab.scripted) as server:
        finished = server.finish(server.upload(lab.hiss(120 if lab.quick else 600)), limit_seconds=600)
        running = [server.upload(lab.hiss(LONG_SECONDS)) for _ in range(2)]
        _wait_for_text(server, running)
        mix = (
            Request("job", f"/api/jobs/{running[0]['id']}", 40),
            Request("list", "/api/jobs", 25),
            Request("me", "/api/auth/me", 15),
            Request("result", f"/api/jobs/{finished['id']}/result", 10),
            Request("health", "/health", 10),
        )
        load = Load(server.port, server.authorization())
        outcome = asyncio.run(load.run(mix, per_second=PER_SECOND, seconds=seconds))
        for job in running:
            server.call("POST", f"/api/jobs/{job['id']}/cancel")
    every = outcome.all_seconds
    name = f"API latency, {PER_SECOND} req/s, two jobs running"
    detail = f"p50 {_ms(every, 0.5):.0f}, p99.9 {_ms(every, 0.999):.0f}, max {_ms(every, 1):.0f} ms"
    yield at_most(f"{name}: p99", _ms(every, 0.99), BUDGET_MS, "ms", digits=0, detail=detail)
    causes = ", ".join(f"{count} × {cause}" for cause, count in Counter(outcome.errors).most_common(3))
    yield at_most(f"{name}: errors", len(outcome.errors), 0, "", digits=0, detail=causes)
    by_name = "; ".join(
        f"{name} {_ms(sorted(values), 0.5):.0f} / {_ms(sorted(values), 0.99):.0f}"
        for name, values in sorted(outcome.seconds.items())
    )
    yield Figure("API latency by request, p50 / p99 in ms", by_name)


def _ms(ordered: Sequence[float], share: float) -> float:
    """The quantile in milliseconds, nearest rank from above; not a number where nothing was answered."""
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def _wait_for_text(server: Server, jobs: Sequence[Json]) -> None:
    until = time.monotonic() + 300
    while not all(server.job(job["id"])["windows"]["committed"] for job in jobs):
        if time.monotonic() > until:
            raise RuntimeError("the jobs that should keep the machine busy have no text yet")
        time.sleep(0.5)
