"""Recordings and broken files for the tests of this folder."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.fixtures.tone_model import sequence, tones

# name -> (container, codec, rate, video codec)
FORMATS = {
    "wav": ("wav", "pcm_s16le", 16_000, None),
    "mp3": ("mp3", "libmp3lame", 44_100, None),
    "m4a": ("ipod", "aac", 48_000, None),
    "flac": ("flac", "flac", 48_000, None),
    "ogg": ("ogg", "libopus", 48_000, None),
    "webm": ("webm", "libopus", 48_000, None),
    "mp4": ("mp4", "aac", 44_100, "mpeg4"),
    "mkv": ("matroska", "libmp3lame", 44_100, "mpeg4"),
    "aiff": ("aiff", "pcm_s16be", 22_050, None),
}


def encode(path: Path, samples: NDArray[np.float32], name: str) -> Path:
    """Mono samples at 16 kHz in one of FORMATS, with moving pictures where it is a video."""
    container, codec, rate, video = FORMATS[name]
    with av.open(str(path), "w", format=container) as output:
        sound = output.add_stream(codec, rate=rate, layout="mono")
        pictures = output.add_stream(video, rate=5) if video else None
        if pictures is not None:
            pictures.width = pictures.height = 64
            pictures.pix_fmt = "yuv420p"
        resampler = av.AudioResampler(sound.codec.audio_formats[0].name, "mono", rate, frame_size=960)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
        for out in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(sound.encode(out))
        output.mux(sound.encode(None))
        for number in range(len(samples) * 5 // 16_000 if pictures is not None else 0):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number % 255, np.uint8), format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 5)
            output.mux(pictures.encode(picture))
        if pictures is not None:
            output.mux(pictures.encode(None))
    return path


def wav(
    data: bytes,
    *,
    rate: int = 16_000,
    channels: int = 1,
    bits: int = 16,
    kind: int = 1,
    claim: int | None = None,
) -> bytes:
    """A WAV file of raw sample bytes; `claim` is the size of the data that the header tells."""
    size = len(data) if claim is None else claim
    step = channels * bits // 8
    speed = (rate * step) & 0xFFFFFFFF
    head = struct.pack("<4sI4s", b"RIFF", (36 + size) & 0xFFFFFFFF, b"WAVE")
    head += struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, channels, rate, speed, step & 0xFFFF, bits)
    return head + struct.pack("<4sI", b"data", size) + data


def pcm(seconds: float = 2.0, seed: int = 0) -> bytes:
    """16 kHz int16 of tones."""
    sound = tones(sequence(max(1, int(seconds + 0.999)), seed))[: int(seconds * 16_000)]
    return (sound * 32767).astype("<i2").tobytes()


def decoded(path: Path) -> NDArray[np.int16]:
    """A recording as 16 kHz mono int16."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", 16_000)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray().ravel() for frame in frames])
