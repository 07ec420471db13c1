"""Run inside a child process before it touches anything foreign: limits, priority, and dying with its parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO

CPU_GRACE_SECONDS = 5
_PR_SET_PDEATHSIG = 1
_OOM_SCORE = "500"  # of 1000: before the server and the database


def protocol_pipe() -> BinaryIO:
    """Standard output as a private pipe; from now on prints of native code go to standard error."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(private, "wb")


def die_with_parent(parent: int) -> None:
    """Ends this process when process `parent` ends (Linux; elsewhere the end of standard input tells)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def limit(
    *,
    memory_bytes: int | None = None,
    data_bytes: int | None = None,
    cpu_seconds: int | None = None,
    file_bytes: int = 1 << 20,
    nice: int = 0,
) -> None:
    """Sets what the system offers of: address space, memory of its own, CPU time, no core dumps, small files only,
    lower priority, and to be the first that the kernel ends when memory runs out."""
    if nice:
        with contextlib.suppress(OSError, AttributeError):
            os.nice(nice)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    wanted = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, 256),
    ]
    if memory_bytes is not None and sys.platform == "linux":
        wanted.append((resource.RLIMIT_AS, memory_bytes))
    if data_bytes is not None and sys.platform == "linux":
        wanted.append((resource.RLIMIT_DATA, data_bytes))
    if cpu_seconds is not None:
        wanted.append((resource.RLIMIT_CPU, cpu_seconds))
    for kind, value in wanted:
        # SIGXCPU comes before SIGKILL, and tells work that takes too long from a process that somebody killed.
        grace = CPU_GRACE_SECONDS if kind == resource.RLIMIT_CPU else 0
        _, hard = resource.getrlimit(kind)
        soft, most = (
            limit if hard == resource.RLIM_INFINITY else min(limit, hard) for limit in (value, value + grace)
        )
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (soft, most))
