"""Measures the loudest and lowest samples of each stretch while a recording is decoded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.asr.types import Peaks

RATE = 16_000
PER_PIXEL = RATE // 20
MAX_PIXELS = 360_000  # 20 a second up to 5 h, 10 a second up to 10 h: never more than 720 kB

Pcm = npt.NDArray[np.int16]


class PeakMeter:
    """Feed it the mono mix in blocks of any size. It keeps 40 bytes a second."""

    def __init__(self) -> None:
        self._pending = np.zeros(0, np.int16)
        self._pairs = bytearray()

    def feed(self, block: Pcm) -> None:
        """The next int16 samples at 16 kHz."""
        samples = np.concatenate((self._pending, block))
        whole = samples.size // PER_PIXEL * PER_PIXEL
        self._pairs += _pairs(samples[:whole].reshape(-1, PER_PIXEL))
        self._pending = samples[whole:]

    def finish(self, max_pixels: int = MAX_PIXELS) -> Peaks:
        """The peaks of all samples; a long recording gets fewer of them a second."""
        if self._pending.size:
            self._pairs += _pairs(self._pending.reshape(1, -1))
            self._pending = self._pending[:0]
        pairs, per_pixel = np.frombuffer(bytes(self._pairs), np.int8).reshape(-1, 2), PER_PIXEL
        while len(pairs) > max_pixels:
            pairs, per_pixel = _halved(pairs), per_pixel * 2
        return Peaks(RATE, per_pixel, len(pairs), pairs.tobytes())


def _pairs(rows: Pcm) -> bytes:
    """Lowest and highest sample of each row, as int8."""
    if not len(rows):
        return b""
    return (np.stack((rows.min(axis=1), rows.max(axis=1)), axis=1) >> 8).astype(np.int8).tobytes()


def _halved(pairs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """One pair for every two; an odd last one stands for itself."""
    if len(pairs) % 2:
        pairs = np.concatenate((pairs, pairs[-1:]))
    twos = pairs.reshape(-1, 2, 2)
    return np.stack((twos[:, :, 0].min(axis=1), twos[:, :, 1].max(axis=1)), axis=1)
