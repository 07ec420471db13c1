"""Memory of the server and everything it started, some seconds after the start, without a job."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.figures import Figure, at_most, megabytes
from bench.lab import Lab
from bench.memory import measure_tree

BUDGET_MB = 200
SETTLE_SECONDS = 5


def measure(lab: Lab) -> Iterator[Figure]:
    """RSS is judged, the stricter of the two: a lone server has little to share."""
    with lab.server(lab.tones) as server:
        time.sleep(SETTLE_SECONDS)
        sample = measure_tree(server.pid)
    detail = f"RSS of {sample.processes} process(es); PSS {megabytes(sample.pss)}"
    yield at_most("Memory of the idle server", sample.rss / 1e6, BUDGET_MB, "MB", digits=0, detail=detail)
