"""One channel out of several, where FFmpeg's mixing cannot be used: too many of them, or such as cancel each other."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import numpy.typing as npt

MEMORY_SECONDS = 1.0
CANCELLED = 1_000.0  # the sum is 30 dB below the difference: next to nothing is left of what was said


class Polarity:
    """Whether the two channels of a recording are one sound with opposite signs, as a wrong cable or a cheap recorder
    makes them: their mean would be silence. Told from about the last second."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._difference = 0.0

    def cancels(self, frame: Any) -> bool:
        """Take a frame of two channels into account, and say what holds now."""
        left, right = _channels(frame).astype(np.float64)
        kept = max(0.0, 1.0 - frame.samples / frame.sample_rate / MEMORY_SECONDS)
        self._sum = self._sum * kept + float(np.square(left + right).sum())
        self._difference = self._difference * kept + float(np.square(left - right).sum())
        return self._difference > CANCELLED * self._sum


def first_channel(frame: Any) -> Any:
    """The first channel alone."""
    return _as_mono(frame, _channels(frame)[0])


def mean_channel(frame: Any) -> Any:
    """The mean of all: more channels than FFmpeg has layouts for it cannot mix by itself."""
    channels = _channels(frame)
    return _as_mono(frame, channels.mean(axis=0).astype(channels.dtype))


def _channels(frame: Any) -> npt.NDArray[Any]:
    """Samples by channel, in the frame's own format."""
    data: npt.NDArray[Any] = frame.to_ndarray()
    return data if frame.format.is_planar else data.reshape(-1, frame.layout.nb_channels).T


def _as_mono(frame: Any, samples: npt.NDArray[Any]) -> Any:
    mixed = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples.reshape(1, -1)), format=frame.format.name, layout="mono"
    )
    mixed.sample_rate = frame.sample_rate
    if frame.time_base is not None:
        mixed.time_base, mixed.pts = frame.time_base, frame.pts
    return mixed
