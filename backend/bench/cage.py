"""A control group with a memory limit, where this user has the rights to make one (version 1 or 2 of control groups).

What a process in it and everything it starts use together, page cache included, stays under the limit: the kernel
gives back cache first, and kills where that is not enough.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


class Cage:
    """A group that exists."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prefix(self) -> list[str]:
        """Words before a command that move the process in before its first page is used."""
        return ["sh", "-c", f'echo $$ > "{self._folder}/cgroup.procs" && exec "$@"', "sh"]

    def kills(self) -> int:
        """How many processes of the group the kernel has killed for want of memory."""
        for name in ("memory.events", "memory.oom_control"):
            path = self._folder / name
            if path.exists():
                return sum(
                    int(line.split()[1])
                    for line in path.read_text().splitlines()
                    if line.startswith("oom_kill ")
                )
        return 0


@contextmanager
def cage(limit_bytes: int) -> Iterator[Cage | None]:
    """A group with this limit for the length of the block; None where it cannot be made."""
    folder = _make(limit_bytes)
    if folder is None:
        yield None
        return
    try:
        yield Cage(folder)
    finally:
        _remove(folder)


def _make(limit_bytes: int) -> Path | None:
    places = ((ROOT / "memory", "memory.limit_in_bytes"), (ROOT, "memory.max"))
    for parent, limit in places:
        folder = parent / f"transcribe-bench-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / limit).write_text(str(limit_bytes))
        except OSError:  # this kind of group has no such limit here
            _remove(folder)
            continue
        return folder
    return None


def _remove(folder: Path) -> None:
    """A group goes once its last process has been reaped."""
    for _ in range(50):
        with suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.1)
