"""One channel out of several, where FFmpeg's mixing cannot be used: too many of them, or such as cancel each other."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import numpy.typing as npt

MEMORY_SECONDS = 1.0
# FFmpeg's names of sample formats, interleaved and planar (https://ffmpeg.org/doxygen/trunk/samplefmt_8h.html).
_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
_DTYPES |= {f"{name}p": dtype for name, dtype in _DTYPES.items()}
CANCELLED = 1_000.0  # the sum is 30 dB below the difference: next to nothing is left of what was said


class Polarity:
    """Whether the two channels of a recording are one sound with opposite signs, as a wrong cable or a cheap recorder
    makes them: their mean would be silence. Told from about the last second."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._difference = 0.0

    def cancels(self, frame: Any) -> bool:
        """Take a frame of two channels into account, and say what holds now."""
        left, right = _channels(frame)
        left, right = left.astype(np.float32, copy=False), right.astype(np.float32, copy=False)
        kept = max(0.0, 1.0 - frame.samples / frame.sample_rate / MEMORY_SECONDS)
        power, product = float(np.dot(left, left) + np.dot(right, right)), 2 * float(np.dot(left, right))
        self._sum = self._sum * kept + power + product  # of (left + right) squared, without making it
        self._difference = self._difference * kept + power - product
        return self._difference > CANCELLED * self._sum


def first_channel(frame: Any) -> Any:
    """The first channel alone."""
    return _as_mono(frame, _channels(frame)[0])


def mean_channel(frame: Any) -> Any:
    """The mean of all: more channels than FFmpeg has layouts for it cannot mix by itself."""
    channels = _channels(frame)
    return _as_mono(frame, np.mean(channels, axis=0).astype(channels[0].dtype))


def _channels(frame: Any) -> list[npt.NDArray[Any]]:
    """Samples by channel, in the frame's own format and memory: copying them takes longer than looking at them."""
    dtype = np.dtype(_DTYPES[frame.format.name])
    if frame.format.is_planar:
        return [np.frombuffer(plane, dtype, frame.samples) for plane in frame.planes]
    count = frame.layout.nb_channels
    return list(np.frombuffer(frame.planes[0], dtype, frame.samples * count).reshape(-1, count).T)


def _as_mono(frame: Any, samples: npt.NDArray[Any]) -> Any:
    mixed = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples.reshape(1, -1)), format=frame.format.name, layout="mono"
    )
    mixed.sample_rate = frame.sample_rate
    if frame.time_base is not None:
        mixed.time_base, mixed.pts = frame.time_base, frame.pts
    return mixed
