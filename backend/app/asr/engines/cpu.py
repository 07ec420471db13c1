"""Whether this processor can run the prebuilt whisper.cpp library: without AVX2 it would die of SIGILL."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from pathlib import Path

from app.core.errors import JobError

NEEDED = ("avx2", "fma", "f16c", "bmi2")


def missing_features(flags: Iterable[str], machine: str) -> tuple[str, ...]:
    """The instruction sets that are absent; none where the processor is not of the x86-64 family."""
    if machine.lower() not in {"x86_64", "amd64"}:
        return ()
    have = set(flags)
    return tuple(name for name in NEEDED if name not in have)


def problem() -> str | None:
    """Why this processor cannot run the library; None where it can, or where its flags cannot be read."""
    flags = _flags()
    lacking = missing_features(flags, platform.machine()) if flags else ()
    if not lacking:
        return None
    return (
        f"This processor lacks {', '.join(lacking)}, which the prebuilt whisper.cpp needs. Choose another engine, or a "
        "machine whose processor was made after 2013."
    )


def check() -> None:
    """Raises JobError `engine_failed` on a processor that is too old."""
    found = problem()
    if found is not None:
        raise JobError("engine_failed", found)


def _flags() -> list[str]:
    """The flags of the first processor (Linux), empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return []
    return next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
