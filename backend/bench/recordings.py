"""Recordings made for the measurements, written as a stream whatever their length."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from tests.fixtures import speech
from tests.fixtures.tone_model import RATE, tones

Pcm = npt.NDArray[np.int16]

TONE_NOISE = 0.01  # without it the model mishears: beside a pure tone there is nothing but rounding
TURN_SECONDS = 300
HISS_RATE = 44_100
HISS_BITS = 128_000  # a second
FRAME_BYTES = 418  # kept back, so that the last window is not one of some milliseconds
LOOP_SECONDS = 32  # a whole number of MP3 frames of 1152 samples


def write_hiss(path: Path, seconds: int) -> None:
    """An MP3 as people have them: 44.1 kHz, stereo, 128 kbit/s, of noise that rises and falls like syllables.

    Half a minute is encoded and repeated as it is: frames of MP3 stand for themselves.
    """
    rng = np.random.default_rng(0)
    size = HISS_RATE * LOOP_SECONDS
    envelope = np.sin(np.linspace(0, 2 * np.pi * 4 * LOOP_SECONDS, size)) ** 2 * 6000
    sound = (rng.standard_normal((2, size)) * envelope).clip(-32768, 32767).astype(np.int16)
    loop = path.with_suffix(".loop.mp3")
    plain = {"write_xing": "0", "id3v2_version": "0"}
    _encode(loop, "libmp3lame", HISS_RATE, "stereo", iter([sound]), plain, bit_rate=HISS_BITS)
    frames, left = loop.read_bytes(), seconds * HISS_BITS // 8 - FRAME_BYTES
    loop.unlink()
    with path.open("wb") as file:
        while left > 0:
            left -= file.write(frames[:left])


def write_tones(path: Path, seconds: int, words: Sequence[str], *, seed: int = 0) -> list[str]:
    """A FLAC with the tone of one word a second, chosen at random; answers the words in order."""
    said = random.Random(seed).choices(words, k=seconds)
    sounds = {w: (tones([w], noise=TONE_NOISE) * 32767).astype(np.int16).reshape(1, -1) for w in words}
    _encode(path, "flac", RATE, "mono", (sounds[word] for word in said))
    return said


def write_talk(path: Path, seconds: int, *, silence: float) -> None:
    """A FLAC of sentences with pauses of 0.4 s; a share of every TURN_SECONDS is silence, at its end."""
    with av.open(str(speech.MONOLOGUE)) as source:
        samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in source.decode(audio=0)])
    edge = RATE // 5
    said = [
        samples[max(0, u.start_ms * RATE // 1000 - edge) : u.end_ms * RATE // 1000 + edge]
        for u in speech.said(speech.MONOLOGUE)
    ]
    talking = round(TURN_SECONDS * (1 - silence) * RATE)
    rest = np.zeros((1, TURN_SECONDS * RATE - talking), np.int16)
    order = random.Random(0)

    def turns() -> Iterator[Pcm]:
        for _ in range(seconds // TURN_SECONDS):
            left = talking
            while left > 0:
                block = order.choice(said)[:left]
                left -= block.size
                yield block.reshape(1, -1)
            yield rest

    _encode(path, "flac", RATE, "mono", turns())


def write_repeated(path: Path, speech: Path, times: int) -> int:
    """A FLAC of a 16 kHz mono recording so many times; answers the length of one in ms."""
    with av.open(str(speech)) as source:
        samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in source.decode(audio=0)])
    samples = samples[: samples.size // 16 * 16].reshape(1, -1)  # whole milliseconds
    _encode(path, "flac", RATE, "mono", (samples for _ in range(times)))
    return samples.size // 16


def _encode(
    path: Path,
    codec: str,
    rate: int,
    layout: str,
    blocks: Iterator[Pcm],
    options: dict[str, str] | None = None,
    *,
    bit_rate: int | None = None,
) -> None:
    """Blocks are (channels, samples); the encoder holds one at a time."""
    packed = codec == "flac"  # takes interleaved samples, where the MP3 encoder wants one plane a channel
    with av.open(str(path), "w", options=options or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout=layout)
        if packed:
            stream.options = {"compression_level": "3"}
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        clock = 0
        for block in blocks:
            samples = block.T.reshape(1, -1) if packed else block
            frame = av.AudioFrame.from_ndarray(samples, format="s16" if packed else "s16p", layout=layout)
            frame.sample_rate, frame.pts = rate, clock
            clock += block.shape[1]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
