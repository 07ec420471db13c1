"""From the start of `transcribe serve`, with its data there already, to the first 200 of `/health`: the median."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bench.figures import Figure, at_most
from bench.lab import Lab

BUDGET_SECONDS = 2.0


def measure(lab: Lab) -> Iterator[Figure]:
    """The first start migrates and makes the secret; it is told, but not judged."""
    server = lab.server(lab.tones)
    first = server.start()
    server.stop()
    seconds = []
    for _ in range(3 if lab.quick else 5):
        seconds.append(server.start())
        server.stop()
    spread = f"{min(seconds):.2f} to {max(seconds):.2f} in {len(seconds)}; very first start {first:.2f}"
    yield at_most("Start to the first answer of /health", median(seconds), BUDGET_SECONDS, "s", detail=spread)
