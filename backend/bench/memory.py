"""Memory of a process and everything it started."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import psutil

EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """Bytes at one moment. `pss` counts each page once, shared ones in parts; `rss` counts them in every process."""

    at: float  # monotonic seconds
    pss: int
    rss: int
    processes: int
    by_kind: tuple[tuple[str, int, int], ...] = ()  # what it does, how many of them, their PSS


def spread(sample: Sample) -> str:
    """The memory of a moment by process: "server 120 MB, 2 x engine 300 MB"."""
    parts = []
    for kind, count, size in sample.by_kind:
        many = f"{count} × " if count > 1 else ""
        parts.append(f"{many}{kind} {size / count / 1e6:,.0f} MB")
    return ", ".join(parts)


def measure_tree(pid: int) -> Sample:
    """The process and its descendants now; where the system knows no PSS, RSS stands for it."""
    root = psutil.Process(pid)
    pss = rss = count = 0
    kinds: dict[str, list[int]] = {}
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            info = process.memory_full_info()
            own = getattr(info, "pss", info.rss)
            kinds.setdefault(_kind(process, root), []).append(own)
            pss += own
            rss += info.rss
            count += 1
    by_kind = tuple((kind, len(sizes), sum(sizes)) for kind, sizes in kinds.items())
    return Sample(time.monotonic(), pss, rss, count, by_kind)


def _kind(process: psutil.Process, root: psutil.Process) -> str:
    """What a child does, by the module it runs."""
    if process == root:
        return "server"
    line = " ".join(process.cmdline())
    return next((name for name in ("engine", "decode", "rendition", "diariz") if f"{name}" in line), "other")


class Watch:
    """Samples a process tree in a thread while the block runs."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples: list[Sample] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def peak(self) -> Sample:
        """The sample with the largest PSS."""
        return max(self.samples, key=lambda sample: sample.pss)

    def around(self, began: float, ended: float, share: float, width: float = 0.05) -> float:
        """Median PSS in bytes near a share (0..1) of the time between two moments."""
        low, high = (began + (ended - began) * (share + side) for side in (-width, width))
        near = sorted(sample.pss for sample in self.samples if low <= sample.at <= high)
        if not near:
            raise RuntimeError("the job was too short for its memory to be sampled")
        return near[len(near) // 2]

    def _run(self) -> None:
        while not self._done.wait(EVERY_SECONDS):
            with suppress(psutil.NoSuchProcess):
                self.samples.append(measure_tree(self._pid))
