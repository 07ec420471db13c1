"""Two channels side by side: who speaks where, what is only the other one's voice, and whether they are two speakers.

A channel is *drowned* in a frame where the other is louder by DROWNED_DB, both taken as the mean energy of the five
frames (160 ms) around it: what a channel holds of the other side's voice is at least that much weaker there, while two
people who talk at once are seldom so far apart for so long. A quiet speaker loses no word to it but those that a much
louder one talks over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.asr.segmentation.clock import FRAME, FRAME_MS
from app.asr.segmentation.silero import BATCH, SpeechDetector

DROWNED_DB = 12.0
AROUND = 2  # frames on each side
UNIT = FRAME * BATCH  # samples looked at together, however they arrive
SPEECH = 0.5
EACH_MS = 500  # so much must be said on each side for two speakers
PLAIN_MS, PLAIN_EACH_MS = 60_000, 5_000  # after so much speech, with so much on each side, there is no doubt
APART = 0.6  # share of the speech that is on one side alone

Pcm = npt.NDArray[np.int16]
F32 = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some frames of both channels: samples (n, 2), probability of speech and `drowned` (frames, 2).

    The last frame of a recording may be shorter than the others.
    """

    samples: Pcm
    speech: F32
    drowned: Flags

    @property
    def mix(self) -> Pcm:
        """One channel, the mean of both."""
        return mix(self.samples)

    @property
    def dry(self) -> Pcm:
        """The samples with drowned frames muted, (n, 2)."""
        mute = np.repeat(self.drowned, FRAME, axis=0)[: len(self.samples)]
        dry: Pcm = self.samples.copy()
        dry[mute] = 0
        return dry


def mix(samples: Pcm) -> Pcm:
    """The mean of two channels (n, 2)."""
    mean: Pcm = (samples.astype(np.int32).sum(axis=1) >> 1).astype(np.int16)
    return mean


class Listener:
    """Feed it blocks (n, 2) of any size; the stretches do not depend on their sizes."""

    def __init__(self) -> None:
        self._detectors = (SpeechDetector(), SpeechDetector())
        self._pending = np.zeros((0, 2), np.int16)
        self._held: tuple[Pcm, F32, F32] | None = None  # samples, speech, energy of the unit before
        self._before = np.zeros((AROUND, 2), np.float32)  # energy of the frames before that

    def feed(self, block: Pcm) -> Iterator[Stretch]:
        """The stretches that are whole; one unit is held back, for the frames that follow it."""
        self._pending = np.concatenate((self._pending, block))
        while len(self._pending) >= UNIT:
            unit, self._pending = self._pending[:UNIT], self._pending[UNIT:]
            speech = [self._detectors[side].feed(unit[:, side]) for side in (0, 1)]
            yield from self._next(unit, np.stack(speech, axis=1))

    def finish(self) -> Iterator[Stretch]:
        """What is left at the end of the recording."""
        if len(self._pending):
            for side in (0, 1):
                assert not self._detectors[side].feed(self._pending[:, side]).size
            speech = [self._detectors[side].finish() for side in (0, 1)]
            yield from self._next(self._pending, np.stack(speech, axis=1))
            self._pending = self._pending[:0]
        if self._held is not None:
            yield self._judge(np.zeros((AROUND, 2), np.float32))

    def _next(self, samples: Pcm, speech: F32) -> Iterator[Stretch]:
        energy = _energy(samples)
        if self._held is not None:
            yield self._judge(energy)
        self._held = (samples, speech, energy)

    def _judge(self, after: F32) -> Stretch:
        assert self._held is not None
        samples, speech, energy = self._held
        after = np.concatenate((after[:AROUND], np.zeros((AROUND, 2), np.float32)))[:AROUND]
        sums = np.cumsum(
            np.concatenate((np.zeros((1, 2)), self._before, energy, after), dtype=np.float64), axis=0
        )
        near = sums[2 * AROUND + 1 :] - sums[: -2 * AROUND - 1]
        drowned = near * 10 ** (DROWNED_DB / 10) < near[:, ::-1]
        self._before = np.concatenate((self._before, energy))[-AROUND:]
        return Stretch(samples, speech, drowned)


class Evidence:
    """Whether two channels are two speakers: most speech is on one side alone, and both sides have some.

    So a mono recording in both channels, a room heard by two microphones, and a recording with one side empty are
    none: speakers in those cannot be told by the channel.
    """

    def __init__(self) -> None:
        self._speech = 0  # frames
        self._alone = np.zeros(2, np.int64)

    def add(self, stretch: Stretch) -> None:
        """The next frames."""
        spoken = stretch.speech >= SPEECH
        self._speech += int(spoken.any(axis=1).sum())
        self._alone += (spoken & stretch.drowned[:, ::-1]).sum(axis=0)

    @property
    def two_speakers(self) -> bool:
        """The verdict on what was added so far."""
        return self._apart(EACH_MS)

    @property
    def plain(self) -> bool:
        """Whether it is clear already that they are two."""
        return self._speech * FRAME_MS >= PLAIN_MS and self._apart(PLAIN_EACH_MS)

    def _apart(self, each_ms: int) -> bool:
        enough = bool((self._alone * FRAME_MS >= each_ms).all())
        return enough and int(self._alone.sum()) >= APART * self._speech


def _energy(samples: Pcm) -> F32:
    """Mean square of each frame and channel, (frames, 2); the last frame counts as filled up with silence."""
    frames = -(-len(samples) // FRAME)
    padded = np.zeros((frames * FRAME, 2), np.float32)
    padded[: len(samples)] = samples
    energy: F32 = np.square(padded).reshape(frames, FRAME, 2).mean(axis=1)
    return energy
