"""Cancelling a job that keeps every core busy: until it is answered, and until nothing of it runs any more.

The engine's processes are inside a window then, which native code does not leave early: they are ended, and new ones
load the model for the next job.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from bench.figures import Figure, at_most
from bench.lab import Lab
from bench.server import Server

ANSWER_SECONDS, GONE_SECONDS = 1.0, 5.0
LIMIT_SECONDS = 60.0


def measure(lab: Lab) -> Iterator[Figure]:
    """The slowest of the rounds is judged."""
    rounds = 2 if lab.quick else 5
    answered, gone = [], []
    with lab.server(lab.scripted) as server:
        for _ in range(rounds):
            job = server.upload(lab.hiss(600))
            _wait_until_busy(server, job["id"])
            children = psutil.Process(server.pid).children(recursive=True)
            began = time.monotonic()
            server.call("POST", f"/api/jobs/{job['id']}/cancel")
            answered.append(time.monotonic() - began)
            while any(child.is_running() for child in children) or not server.is_over(job):
                if time.monotonic() - began > LIMIT_SECONDS:
                    raise RuntimeError("the cancelled job goes on")
                time.sleep(0.02)
            gone.append(time.monotonic() - began)
    yield at_most(
        "Cancel of a running job: answered", max(answered), ANSWER_SECONDS, "s", detail=_all(answered)
    )
    yield at_most(
        "Cancel of a running job: its processes gone", max(gone), GONE_SECONDS, "s", detail=_all(gone)
    )


def _wait_until_busy(server: Server, job_id: str) -> None:
    """A window is done, and every engine process is inside another one."""
    until = time.monotonic() + LIMIT_SECONDS
    while not server.job(job_id)["windows"]["executed"]:
        if time.monotonic() > until:
            raise RuntimeError("the job does not begin")
        time.sleep(0.2)
    time.sleep(0.5)


def _all(seconds: list[float]) -> str:
    return f"the slowest of {len(seconds)}: " + ", ".join(f"{each:.2f}" for each in sorted(seconds))
