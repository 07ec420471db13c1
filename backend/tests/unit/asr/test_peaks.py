"""The drawing of loudness: right at every pixel, the same for every size of blocks, small for long recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.asr.audio.peak_meter import PER_PIXEL, PeakMeter
from app.asr.audio.peaks import to_audiowaveform
from app.asr.host.decoder import Decoder, Finished
from app.asr.limits import MediaLimits
from app.asr.types import Peaks, TranscribeOptions, Vad
from tests.unit.asr.recordings import wav


def peaks_of(samples: np.ndarray, max_pixels: int = 1000) -> Peaks:
    meter = PeakMeter()
    meter.feed(samples)
    return meter.finish(max_pixels)


def test_lowest_and_highest_of_each_stretch() -> None:
    samples = np.zeros(PER_PIXEL * 2 + 10, np.int16)
    samples[5], samples[7] = 32_767, -32_768
    samples[PER_PIXEL + 3] = 256 * 64
    samples[-1] = -256
    assert to_audiowaveform(peaks_of(samples)) == {
        "version": 2,
        "channels": 1,
        "sample_rate": 16_000,
        "samples_per_pixel": 800,
        "bits": 8,
        "length": 3,
        "data": [-128, 127, 0, 64, -1, 0],
    }


def test_a_long_recording_is_drawn_coarser() -> None:
    samples = np.arange(PER_PIXEL * 11, dtype=np.int64).astype(np.int16)
    fine, coarse = peaks_of(samples), peaks_of(samples, max_pixels=5)
    assert (fine.length, coarse.length, coarse.samples_per_pixel) == (11, 3, PER_PIXEL * 4)
    pairs = np.frombuffer(fine.data, np.int8).reshape(-1, 2)
    for pixel, (low, high) in enumerate(np.frombuffer(coarse.data, np.int8).reshape(-1, 2)):
        part = pairs[pixel * 4 : pixel * 4 + 4]
        assert (low, high) == (part[:, 0].min(), part[:, 1].max())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=12))
def test_sizes_of_blocks_do_not_matter(sizes: list[int]) -> None:
    samples = np.random.default_rng(1).integers(-32_768, 32_767, sum(sizes)).astype(np.int16)
    meter, at = PeakMeter(), 0
    for size in sizes:
        meter.feed(samples[at : at + size])
        at += size
    assert meter.finish() == peaks_of(samples)


async def test_the_decoder_sends_them_last(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    left = np.repeat(np.array([256 * 100, 0], np.int16), 16_000)
    path.write_bytes(wav(np.stack((left, np.zeros_like(left)), axis=1).tobytes(), channels=2))
    async with decoder.open(path, TranscribeOptions(vad=Vad.OFF), MediaLimits()) as events:
        last = [event async for event in events][-1]
    assert isinstance(last, Finished)
    assert (last.summary.channels, last.summary.channel_layout) == (2, "stereo")
    data = to_audiowaveform(last.peaks)["data"]
    assert len(data) == 2 * 40
    assert data[1] == 50
    assert data[-1] == 0
