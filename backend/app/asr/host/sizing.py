"""How many engine processes a machine bears: cores and memory, also those that a container was given."""

from __future__ import annotations

import math
import os
from pathlib import Path

import psutil

from app.asr import models
from app.asr.types import DTW, EngineSpec
from app.core.errors import JobError

_CGROUP = Path("/sys/fs/cgroup")
_CGROUP_V1 = _CGROUP / "memory"
_CUDA_DRIVER = Path("/dev/nvidiactl")
BASE_BYTES = 120 << 20  # interpreter, libraries and buffers of one engine process
MODEL_FACTOR = 1.6  # a loaded model with its key-value caches, over its file (base-q8_0: 228 MB for 82 MB)
DTW_BYTES = 140 << 20  # word times by alignment keep the attention of some heads
RESERVE_BYTES = 400 << 20  # the server itself, a decoder, the operating system
SPARE_BYTES = 64 << 20  # what has to stay free after a load
_USUAL_MODEL_BYTES = 132 << 20  # base-q8_0 once loaded
HEADROOM = 3  # how far over its estimate a process may grow before its own limit stops it


def plan_processes(asked: int, model: str) -> int:
    """`asked`, or where that is 0 as many as this machine bears with `model` (a name or a path) loaded in each."""
    if asked:
        return asked
    entry = models.find(model)
    own = Path(model)
    size = entry.bytes if entry is not None else own.stat().st_size if own.is_file() else 0
    return engine_processes(size, cores=usable_cores(), memory=usable_memory())


def needed_bytes(spec: EngineSpec) -> int:
    """What a process with this model is expected to take."""
    path = Path(spec.model_path) if spec.model_path else None
    if path is not None and path.is_dir():  # CTranslate2's layout, or MLX's
        size = sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    else:
        size = path.stat().st_size if path is not None and path.is_file() else 0
    return BASE_BYTES + int(size * MODEL_FACTOR) + (DTW_BYTES if spec.word_times == DTW else 0)


def limit_bytes(spec: EngineSpec) -> int | None:
    """Bytes of its own at which a process with this model is stopped: far above all that it should need. None where
    it may use CUDA, whose driver maps as much address space as there is memory on the card and off it."""
    if spec.device == "cuda" or (spec.device == "auto" and _CUDA_DRIVER.exists()):
        return None
    return HEADROOM * needed_bytes(spec) + (1 << 30)


def check_fits(spec: EngineSpec) -> None:
    """Raises JobError `memory_low` where this machine could not hold the model even if nothing else ran."""
    needed, total = needed_bytes(spec), usable_memory()
    if needed > total:
        raise JobError(
            "memory_low",
            f"The model {spec.model} needs about {needed >> 20} MB of memory and this machine has {total >> 20} MB. "
            "Choose a smaller model.",
        )


def has_room(spec: EngineSpec, promised: int = 0) -> bool:
    """Whether a process with this model could be started now; `promised` bytes are being loaded by others."""
    return available_memory() - promised - needed_bytes(spec) >= SPARE_BYTES


def slowness(spec: EngineSpec) -> float:
    """How much longer than base (82 MB) a model may take for a window: 1 for small ones, more with the file's size."""
    return max(1.0, (needed_bytes(spec) - BASE_BYTES) / _USUAL_MODEL_BYTES)


def usable_cores() -> int:
    """Cores this process may run on, no more than its container's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _quota_cores() or cores))


def usable_memory() -> int:
    """Bytes: the machine's memory, or the container's limit where that is less."""
    total: int = psutil.virtual_memory().total
    return min(total, _container_limit() or total)


def available_memory() -> int:
    """Bytes that can be taken now: of the machine, or of the container where that leaves less. Its page cache counts
    as free: the kernel gives it up when it is asked to."""
    free: int = psutil.virtual_memory().available
    limit = _container_limit()
    return free if limit is None else max(0, min(free, limit - _container_use()))


def engine_processes(model_bytes: int, *, cores: int, memory: int) -> int:
    """One a core, as long as each has room for a model file of `model_bytes`; at least one."""
    each = BASE_BYTES + int(model_bytes * MODEL_FACTOR)
    return max(1, min(cores, (memory - RESERVE_BYTES) // each))


def _container_limit() -> int | None:
    for path in (_CGROUP / "memory.max", _CGROUP_V1 / "memory.limit_in_bytes"):
        text = _read(path)
        if text.isdigit():
            return int(text)
    return None


def _container_use() -> int:
    for current, inactive in (
        ("memory.current", "inactive_file"),
        ("memory.usage_in_bytes", "total_inactive_file"),
    ):
        folder = _CGROUP if current == "memory.current" else _CGROUP_V1
        used = _read(folder / current)
        if used.isdigit():
            facts = dict(
                line.split() for line in _read(folder / "memory.stat").splitlines() if line.count(" ") == 1
            )
            return max(0, int(used) - int(facts.get(inactive, 0)))
    return 0


def _quota_cores() -> int | None:
    quota, _, period = _read(_CGROUP / "cpu.max").partition(" ")
    return math.ceil(int(quota) / int(period)) if quota.isdigit() and period.strip().isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
