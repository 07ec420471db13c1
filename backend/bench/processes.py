"""CPU time of process trees, and how quiet the machine was."""

from __future__ import annotations

from contextlib import suppress

import psutil


def cpu_seconds(*pids: int) -> float:
    """CPU time of these processes, of their living descendants, and of children they have waited for."""
    total = 0.0
    for pid in pids:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:4])  # user, system, and both of the children that ended
    return total


class Others:
    """The share of the machine's CPU time that processes which are not ours take, from now on."""

    def __init__(self) -> None:
        self._own, self._busy, self._all = self._now()

    def share(self) -> float:
        """0..1 of all cores; near 0 on a quiet machine."""
        own, busy, total = (
            after - before
            for after, before in zip(self._now(), (self._own, self._busy, self._all), strict=True)
        )
        return max(0.0, busy - own) / total if total else 0.0

    @staticmethod
    def _now() -> tuple[float, float, float]:
        times = psutil.cpu_times()
        total = sum(times)
        idle = times.idle + getattr(times, "iowait", 0.0)
        return cpu_seconds(psutil.Process().pid), total - idle, total
