"""Search for speech: how much of it is missed, how much of the rest is taken for speech, and how fast.

Speech is the monologue of the tests (three minutes, espeak-ng) with its pauses; noise is made with a fixed seed and
mixed in at a level below the mean power of the speech. A frame of 32 ms counts as speech where the clean recording is
louder than -45 dB of its loudest frame, or was in the 224 ms before; that hangover alone makes most of the misses.
"Frames" hold the probability against 0.5, "regions" are what windows are cut from, and "said" holds the regions
against the times of the utterances instead. The budgets are what Silero's own network reached on another recording
(7.7, 7.9, 8.4, 7.3 % missed and 0.1, 0.5, 2.3, 1.6 % false), with 3 and 0.5 points for the other labels.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt

from app.asr.segmentation.clock import FRAME, FRAME_MS
from app.asr.segmentation.silero import SpeechDetector
from app.asr.segmentation.windows import SpeechWindows
from bench.figures import Figure
from bench.lab import Lab
from tests.fixtures import sounds, speech

RATE = 16_000
FLOOR_DB = -45.0
HANGOVER = 250 // FRAME_MS  # frames
SPEECH_RMS = 2_000.0
ALONE_RMS = 1_500.0

Pcm = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]

# name -> sound, dB under the speech, and the budget for misses and false alarms
CASES: dict[str, tuple[str | None, float, float, float]] = {
    "clean": (None, 0, 0.107, 0.006),
    "pink noise 10 dB": ("pink", 10, 0.109, 0.010),
    "pink noise 0 dB": ("pink", 0, 0.114, 0.028),
    "tones 10 dB": ("tones", 10, 0.103, 0.021),
}


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of frames: speech that was missed, and non-speech that was taken for it."""

    missed: float
    false: float

    @classmethod
    def of(cls, found: Flags, truth: Flags) -> Score:
        """Both arrays are one flag a frame."""
        return cls(float((~found)[truth].mean()), float(found[~truth].mean()) if (~truth).any() else 0.0)

    def __str__(self) -> str:
        return f"{self.missed:.1%} missed, {self.false:.1%} false"


def measure(lab: Lab) -> Iterator[Figure]:
    """Quality against budgets, speed for information, in a process with one thread as the decoder's."""
    clean = _clean()
    truth = labels(clean)
    said = utterances(truth.size)
    for name, (noise, decibels, most_missed, most_false) in CASES.items():
        sound = clean if noise is None else _mixed(clean, noise, decibels)
        frames, regions = detect(sound)
        score = Score.of(frames, truth)
        yield Figure(
            f"Search for speech: {name}",
            f"frames {score}; regions {Score.of(regions, truth)}; said {Score.of(regions, said)}",
            f"≤ {most_missed:.1%} missed, ≤ {most_false:.1%} false",
            score.missed <= most_missed and score.false <= most_false,
        )
    seconds = 60 if lab.quick else 600
    taken = {
        name: detect(_int16(make(60)[: 60 * RATE] * ALONE_RMS))[1].mean()
        for name, make in sounds.SOUNDS.items()
    }
    yield Figure(
        "Search for speech where there is none: taken for speech, of a minute each",
        ", ".join(f"{name} {share:.1%}" for name, share in taken.items()),
    )
    command = [sys.executable, "-m", "bench.vad", str(seconds)]
    once = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    took = float(subprocess.run(command, env=once, check=True, capture_output=True).stdout)
    yield Figure(
        "Search for speech: speed", f"{seconds / took:,.0f} x real time (CPU time of one core, {seconds} s)"
    )


def cpu_seconds(seconds: int) -> float:
    """CPU time that the search takes for so much speech, in blocks of a second."""
    sound = np.resize(_clean(), seconds * RATE)
    detector = SpeechDetector()
    began = time.process_time()
    for at in range(0, sound.size, RATE):
        detector.feed(sound[at : at + RATE])
    return time.process_time() - began


def detect(sound: Pcm) -> tuple[Flags, Flags]:
    """One flag a frame, by probability and by region."""
    detector = SpeechDetector()
    frames = np.concatenate((detector.feed(sound), detector.finish())) >= 0.5
    regions = np.zeros_like(frames)
    windower = SpeechWindows()
    for window, _ in (*windower.feed(sound), *windower.finish()):
        for start, end in window.speech:
            regions[start // FRAME_MS : -(-end // FRAME_MS)] = True
    return frames, regions


def labels(clean: Pcm) -> Flags:
    """What is speech, by the energy of the clean recording with hangover."""
    size = -(-clean.size // FRAME)
    padded = np.zeros(size * FRAME)
    padded[: clean.size] = clean
    power = np.square(padded).reshape(size, FRAME).mean(axis=1)
    loud = power > power.max() * 10 ** (FLOOR_DB / 10)
    near = np.convolve(loud, np.ones(HANGOVER + 1))[:size]
    flags: Flags = near > 0.5
    return flags


def utterances(frames: int) -> Flags:
    """What is speech, by the times at which it was said."""
    flags = np.zeros(frames, bool)
    for utterance in speech.said(speech.MONOLOGUE):
        flags[utterance.start_ms // FRAME_MS : -(-utterance.end_ms // FRAME_MS)] = True
    return flags


def _clean() -> Pcm:
    with av.open(str(speech.MONOLOGUE)) as source:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in source.decode(audio=0)])


def _mixed(clean: Pcm, noise: str, decibels: float) -> Pcm:
    """The speech at SPEECH_RMS with the noise so much under it."""
    voice = clean.astype(np.float64)
    active = np.repeat(labels(clean), FRAME)[: clean.size]
    voice *= SPEECH_RMS / np.sqrt(np.mean(np.square(voice[active])))
    make = {"pink": sounds.pink, "tones": sounds.tones}[noise]
    under = make(clean.size / RATE + 1)[: clean.size] * SPEECH_RMS * 10 ** (-decibels / 20)
    return _int16(voice + under)


def _int16(sound: npt.NDArray[np.floating]) -> Pcm:
    pcm: Pcm = sound.clip(-32_768, 32_767).astype(np.int16)
    return pcm


if __name__ == "__main__":
    print(cpu_seconds(int(sys.argv[1])))
