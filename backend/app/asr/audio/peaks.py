"""The drawing of a recording's loudness in the format of audiowaveform."""

from __future__ import annotations

from array import array
from typing import Any

from app.asr.types import Peaks


def to_audiowaveform(peaks: Peaks) -> dict[str, Any]:
    """The JSON object that audiowaveform writes (version 2, 8 bits, one channel) and that drawing programs read."""
    return {
        "version": 2,
        "channels": 1,
        "sample_rate": peaks.sample_rate,
        "samples_per_pixel": peaks.samples_per_pixel,
        "bits": 8,
        "length": peaks.length,
        "data": array("b", peaks.data).tolist(),
    }
