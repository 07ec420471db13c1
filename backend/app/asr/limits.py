"""What one recording may cost: plain numbers, passed in by the caller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Limits of one decoder process.

    `max_audio_seconds` is measured on decoded samples. `stall_seconds` is the longest silence of the decoder,
    `total_seconds` the longest it may be waited for altogether (time in which it waits for the engines does not
    count). `memory_bytes` and `cpu_seconds` are the operating system's limits, where it has them.
    """

    max_audio_seconds: int = 12 * 3600
    stall_seconds: float = 60.0
    total_seconds: float = 7200.0
    memory_bytes: int = 2 << 30
    cpu_seconds: int = 7200
