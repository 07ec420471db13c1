"""How many engine processes a machine bears: cores and memory, also those that a container was given."""

from __future__ import annotations

import math
import os
from pathlib import Path

import psutil

from app.asr import models

_CGROUP = Path("/sys/fs/cgroup")
BASE_BYTES = 120 << 20  # interpreter, libraries and buffers of one engine process
MODEL_FACTOR = 1.6  # a loaded model with its key-value caches, over its file (base-q8_0: 228 MB for 82 MB)
RESERVE_BYTES = 400 << 20  # the server itself, a decoder, the operating system


def plan_processes(asked: int, model: str) -> int:
    """`asked`, or where that is 0 as many as this machine bears with `model` (a name or a path) loaded in each."""
    if asked:
        return asked
    entry = models.find(model)
    own = Path(model)
    size = entry.bytes if entry is not None else own.stat().st_size if own.is_file() else 0
    return engine_processes(size, cores=usable_cores(), memory=usable_memory())


def usable_cores() -> int:
    """Cores this process may run on, no more than its container's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _quota_cores() or cores))


def usable_memory() -> int:
    """Bytes: the machine's memory, or the container's limit where that is less."""
    limit = _read("memory.max")
    total: int = psutil.virtual_memory().total
    return min(total, int(limit)) if limit.isdigit() else total


def engine_processes(model_bytes: int, *, cores: int, memory: int) -> int:
    """One a core, as long as each has room for a model file of `model_bytes`; at least one."""
    each = BASE_BYTES + int(model_bytes * MODEL_FACTOR)
    return max(1, min(cores, (memory - RESERVE_BYTES) // each))


def _quota_cores() -> int | None:
    quota, _, period = _read("cpu.max").partition(" ")
    return math.ceil(int(quota) / int(period)) if quota.isdigit() and period.strip().isdigit() else None


def _read(name: str) -> str:
    try:
        return (_CGROUP / name).read_text().strip()
    except OSError:
        return ""
