"""Voices by pitch and by loudness over frequency, in numpy: a stand-in for tests and the bench.

It tells the clean voices of a speech synthesiser apart and needs no model. It is no match for people in a room, so it
is never offered to users.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.asr.diarization.embedders.base import RATE, Likeness, Samples, Vector

FRAME, HOP, FFT = 512, 256, 1024
LOWEST_HZ, HIGHEST_HZ = 60.0, 400.0
PITCH_BINS = 32
PITCH_SPREAD = 0.08  # natural logarithm: a little over a semitone
BANDS = 24
PITCH_SHARE = 0.75

F32 = npt.NDArray[np.float32]


class Spectral:
    """A histogram of pitch beside the shape of the mean spectrum."""

    likeness = Likeness(same=0.6, different=0.45)

    def __init__(self) -> None:
        self._taper = np.hanning(FRAME).astype(np.float32)
        edges = np.geomspace(150.0, 7000.0, BANDS + 1) * FFT / RATE
        self._edges = np.unique(edges.astype(int))
        self._centres = np.linspace(np.log(LOWEST_HZ), np.log(HIGHEST_HZ), PITCH_BINS, dtype=np.float32)

    def embed(self, samples: Samples) -> Vector | None:
        """None where no frame has a pitch."""
        if samples.size < FRAME * 2:
            return None
        frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP] * self._taper
        power = np.abs(np.fft.rfft(frames, FFT, axis=1)).astype(np.float32) ** 2
        energy = power.sum(axis=1)
        loud = energy > 0.03 * np.percentile(energy, 95) + 1e-6
        if loud.sum() < 3:
            return None
        pitch, voiced = self._pitch(power[loud])
        if voiced.sum() < 3:
            return None
        weights = np.exp(-0.5 * ((pitch[voiced, None] - self._centres) / PITCH_SPREAD) ** 2)
        histogram = _unit(weights.sum(axis=0))
        bands = np.add.reduceat(power[loud][voiced], self._edges[:-1], axis=1)
        shape = np.log(bands + 1e-6).mean(axis=0)
        shape = _unit(shape - shape.mean())
        return np.concatenate((histogram * np.sqrt(PITCH_SHARE), shape * np.sqrt(1 - PITCH_SHARE))).astype(
            np.float32
        )

    def _pitch(self, power: F32) -> tuple[F32, npt.NDArray[np.bool_]]:
        """Natural logarithm of the pitch of each frame by autocorrelation, and whether there is one."""
        correlation = np.fft.irfft(power, axis=1)
        low, high = int(RATE / HIGHEST_HZ), int(RATE / LOWEST_HZ)
        window = correlation[:, low : high + 1] / np.maximum(correlation[:, :1], 1e-9)
        best = window.argmax(axis=1)
        return np.log(RATE / (best + low)).astype(np.float32), window.max(axis=1) > 0.3


def _unit(vector: F32) -> F32:
    return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-9))


def create(model: str | None) -> Spectral:
    """Ready at once; there is no model."""
    assert model is None, "the stand-in has no model"
    return Spectral()
