"""Voice detection, regions and cutting: pure functions of their samples."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.asr.segmentation.clock import FRAME_MS
from app.asr.segmentation.cutter import Cut, CutSettings, Cutter
from app.asr.segmentation.regions import RegionFinder, RegionSettings
from app.asr.segmentation.silero import SpeechDetector
from app.asr.segmentation.windows import FixedWindows, SampleBuffer, SpeechWindows
from app.asr.types import Window
from tests.fixtures import speech


def monologue() -> np.ndarray:
    with av.open(str(speech.MONOLOGUE)) as container:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])


def cut_all(probabilities: list[float], cuts: CutSettings | None = None) -> list[Cut]:
    """The cuts for a recording of these frames."""
    finder, cutter, found = RegionFinder(RegionSettings()), Cutter(cuts or CutSettings()), []
    for probability in probabilities:
        closed = finder.push(probability)
        found += cutter.push(probability, closed, finder.open_start_ms)
    end = len(probabilities) * FRAME_MS
    return found + cutter.finish(end, finder.finish(end))


def speak(*parts: tuple[float, float]) -> list[float]:
    """Probabilities of (seconds, probability) in a row."""
    return [value for seconds, value in parts for _ in range(round(seconds * 1000 / FRAME_MS))]


def test_detection_does_not_depend_on_the_size_of_blocks() -> None:
    samples = monologue()[: 16_000 * 30]
    whole = SpeechDetector()
    expected = np.concatenate((whole.feed(samples), whole.finish()))
    pieces, detector, rng, at = [], SpeechDetector(), np.random.default_rng(3), 0
    while at < samples.size:
        size = int(rng.integers(1, 40_000))
        pieces.append(detector.feed(samples[at : at + size]))
        at += size
    pieces.append(detector.finish())
    assert np.array_equal(np.concatenate(pieces), expected)


def test_regions_follow_the_utterances() -> None:
    samples, said = monologue(), speech.said(speech.MONOLOGUE)
    windower = SpeechWindows()
    windows = [window for window, _ in [*windower.feed(samples), *windower.finish()]]
    active = np.zeros(samples.size // 16 + 1000, bool)
    for window in windows:
        for start, end in window.speech:
            active[start:end] = True
    truth = np.zeros_like(active)
    for utterance in said:
        truth[utterance.start_ms : utterance.end_ms] = True
    assert active[truth].mean() > 0.96
    assert active[~truth].mean() < 0.05
    assert windower.speech_ms == active.sum()


@pytest.mark.parametrize("sound", ["silence", "white noise", "hum"])
def test_no_window_without_speech(sound: str) -> None:
    time = np.arange(16_000 * 20) / 16_000
    samples = {
        "silence": np.zeros(time.size),
        "white noise": np.random.default_rng(0).standard_normal(time.size) * 3000,
        "hum": np.sin(2 * np.pi * 50 * time) * 8000,
    }[sound]
    windower = SpeechWindows()
    assert [*windower.feed(samples.astype(np.int16)), *windower.finish()] == []


def test_short_speech_is_packed_into_one_window() -> None:
    cuts = cut_all(speak((1, 0), (2, 0.9), (4, 0), (2, 0.9), (4, 0), (2, 0.9), (3, 0)))
    assert len(cuts) == 1
    assert len(cuts[0].speech) == 3


def test_the_latest_good_silence_is_cut_in_its_middle() -> None:
    cuts = cut_all(speak((10, 0.9), (0.6, 0), (10, 0.9), (0.6, 0), (15, 0.9), (1, 0)))
    assert [cut.hard for cut in cuts] == [False, False]
    assert 20_600 <= cuts[0].end_ms <= 21_200
    assert cuts[1].start_ms >= cuts[0].end_ms


def test_a_hard_cut_goes_to_the_least_likely_moment() -> None:
    cuts = cut_all(speak((20, 0.9), (0.16, 0.5), (20, 0.9)))
    assert [cut.hard for cut in cuts] == [True, False]
    assert cuts[0].end_ms == pytest.approx(20_064, abs=64)
    assert cuts[1].start_ms == cuts[0].end_ms
    assert cuts[0].speech[-1][1] == cuts[1].speech[0][0] == cuts[0].end_ms


def test_long_silence_ends_a_window_that_is_full_enough() -> None:
    cuts = cut_all(speak((21, 0.9), (4, 0), (5, 0.9), (1, 0)))
    assert len(cuts) == 2
    assert cuts[0].end_ms == pytest.approx(21_250, abs=64)


frames = st.lists(
    st.tuples(st.floats(0.03, 40), st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.95])), min_size=1, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(frames)
def test_windows_cover_all_speech_in_order(parts: list[tuple[float, float]]) -> None:
    probabilities = speak(*parts)
    finder, regions = RegionFinder(RegionSettings()), []
    for probability in probabilities:
        regions += [region for region in [finder.push(probability)] if region]
    regions += [region for region in [finder.finish(len(probabilities) * FRAME_MS)] if region]
    clock = 0
    covered = 0
    for cut in cut_all(probabilities):
        assert clock <= cut.start_ms < cut.end_ms <= len(probabilities) * FRAME_MS
        assert cut.end_ms - cut.start_ms <= CutSettings().max_ms
        clock = cut.end_ms
        for start, end in cut.speech:
            assert cut.start_ms <= start < end <= cut.end_ms
            covered += end - start
    assert covered == sum(end - start for start, end in regions)


def test_fixed_windows() -> None:
    samples = np.arange(16_000 * 61 + 5, dtype=np.int64).astype(np.int16)
    windower = FixedWindows()
    found = [*windower.feed(samples[:700_000]), *windower.feed(samples[700_000:]), *windower.finish()]
    assert [window for window, _ in found] == [
        Window(0, 0, 30_000),
        Window(1, 30_000, 60_000),
        Window(2, 60_000, 61_001),
    ]
    assert np.array_equal(np.concatenate([pcm for _, pcm in found]), samples)


def test_the_buffer_forgets() -> None:
    buffer = SampleBuffer()
    buffer.append(np.arange(3200, dtype=np.int16))
    buffer.forget(100)
    assert buffer.take(100, 101).tolist() == list(range(1600, 1616))
    assert buffer._samples.size == 1600


@pytest.mark.parametrize(
    ("milliseconds", "windows"), [(50, 1), (30_000, 1), (30_090, 1), (30_150, 2), (60_000, 2)]
)
def test_fixed_windows_do_not_make_one_of_an_encoders_padding(milliseconds: int, windows: int) -> None:
    fixed = FixedWindows()
    samples = np.zeros(milliseconds * 16, np.int16)
    planned = [window for window, _ in (*fixed.feed(samples), *fixed.finish())]
    assert len(planned) == windows
    assert [w.index for w in planned] == list(range(windows))
