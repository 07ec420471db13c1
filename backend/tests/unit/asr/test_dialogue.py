"""Two channels as two speakers: who said what, when, and that nothing is written twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.asr.host.pool import EnginePool
from app.asr.segmentation.crosstalk import UNIT
from app.asr.segmentation.dialogue import DialogueWindows
from app.asr.sinks import MemorySink
from app.asr.types import EngineSpec, Mode, TranscribeOptions, Transcription, Vad, Window, WindowOptions
from tests.fixtures import speech
from tests.unit.asr.recordings import wav

DIALOGUE = TranscribeOptions(mode=Mode.DIALOGUE)
SIDES = ("left", "right")
SAID = speech.said(speech.DIALOGUE)


def samples_of(path: Path) -> np.ndarray:
    """All int16 samples, (n, channels)."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
        return np.concatenate(frames).reshape(-1, container.streams.audio[0].channels)


SOUND = samples_of(speech.DIALOGUE)


def bleed(decibels: float) -> np.ndarray:
    """The dialogue, with each side heard on the other one so much weaker."""
    weak = 10 ** (decibels / 20)
    return (SOUND @ np.array([[1, weak], [weak, 1]])).clip(-32_768, 32_767).astype(np.int16)


def stereo(path: Path, samples: np.ndarray) -> Path:
    path.write_bytes(wav(samples.astype("<i2").tobytes(), channels=2))
    return path


def plan(
    samples: np.ndarray, vad: Vad = Vad.AUTO, sizes: list[int] | None = None, **options: Any
) -> list[Any]:
    """Windows with the bytes of their samples."""
    windower, found, at = DialogueWindows(vad, **options), [], 0
    for size in sizes or []:
        found += windower.feed(samples[at : at + size])
        at += size
    found += windower.feed(samples[at:])
    found += windower.finish()
    return [(window, pcm.tobytes()) for window, pcm in found]


def text(result: Transcription, side: str) -> str:
    return " ".join(segment.text for segment in result.segments if segment.speaker == side)


def errors(result: Transcription) -> float:
    """Word error rate over both sides, each against its own truth."""
    total = wrong = 0.0
    for side in SIDES:
        truth = " ".join(utterance.text for utterance in SAID if utterance.channel == side)
        total += len(truth.split())
        wrong += speech.word_error_rate(truth, text(result, side)) * len(truth.split())
    return wrong / total


async def bare_errors(pool: EnginePool, spec: EngineSpec, windows: list[Window]) -> float:
    """The same for the bare engine on the same windows of the channels as they were recorded."""
    total = wrong = 0.0
    for channel, side in enumerate(SIDES):
        heard = []
        for window in windows:
            if window.channel == channel:
                pcm = SOUND[window.start_ms * 16 : window.end_ms * 16, channel].tobytes()
                result = await pool.submit("bare", spec, WindowOptions("en"), window, pcm, _nothing)
                heard += [segment.text for segment in result.segments]
        truth = " ".join(utterance.text for utterance in SAID if utterance.channel == side)
        total += len(truth.split())
        wrong += speech.word_error_rate(truth, " ".join(heard)) * len(truth.split())
    return wrong / total


async def _nothing() -> None: ...


def check_speakers(result: Transcription) -> None:
    """Every utterance on its side, starting within 0.3 s in nine of ten; segments in order of time."""
    near = 0
    for utterance in SAID:
        mine = [s for s in result.segments if s.speaker == utterance.channel]
        assert any(s.start_ms < utterance.end_ms and utterance.start_ms < s.end_ms for s in mine), utterance
        near += min(abs(s.start_ms - utterance.start_ms) for s in mine) <= 300
    assert near >= 0.9 * len(SAID)
    for segment in result.segments:
        middle = (segment.start_ms + segment.end_ms) // 2
        assert any(u.start_ms <= middle <= u.end_ms for u in SAID if u.channel == segment.speaker), segment
    starts = [segment.start_ms for segment in result.segments]
    assert starts == sorted(starts)


async def test_speakers_by_channel(run: Any, pool: EnginePool, speech_spec: EngineSpec) -> None:
    sink = MemorySink()
    result = await run(speech.DIALOGUE, speech_spec, DIALOGUE, sink=sink)
    assert result.summary.speakers_by_channel
    assert {segment.speaker for segment in result.segments} == set(SIDES)
    check_speakers(result)
    windows = [sink.windows[index] for index in sorted(sink.windows)]
    assert [window.index for window in windows] == list(range(len(windows)))
    assert result.summary.speech_ms == sum(end - start for w in windows for start, end in w.speech)
    assert errors(result) <= await bare_errors(pool, speech_spec, windows)
    assert "no_speakers" not in {notice.code for notice in result.notices}


@pytest.mark.parametrize("decibels", [-30, -20, -14])
async def test_a_voice_on_the_other_channel_is_not_written_twice(
    decibels: int, run: Any, speech_spec: EngineSpec, tmp_path: Path
) -> None:
    result = await run(stereo(tmp_path / "a.wav", bleed(decibels)), speech_spec, DIALOGUE)
    assert result.summary.speakers_by_channel
    check_speakers(result)
    assert errors(result) <= 0.08
    words = len(" ".join(utterance.text for utterance in SAID).split())
    assert len(result.text.split()) <= words


NOT_SPEAKERS = {
    "the same on both": np.repeat(SOUND[:, :1] // 2 + SOUND[:, 1:] // 2, 2, axis=1),
    "a room with two microphones": bleed(-6),
    "one side empty": np.stack((SOUND.sum(axis=1) // 2, np.zeros(len(SOUND))), axis=1).astype(np.int16),
    "silence": np.zeros_like(SOUND),
}


@pytest.mark.parametrize("name", NOT_SPEAKERS)
def test_two_channels_that_are_not_two_speakers_are_mixed(name: str) -> None:
    sound = NOT_SPEAKERS[name]
    windower = DialogueWindows(Vad.AUTO)
    windows = [window for window, _ in (*windower.feed(sound), *windower.finish())]
    assert not windower.by_channel
    assert {window.channel for window in windows} <= {None}
    assert bool(windows) == (name != "silence")


def test_fixed_windows_of_each_channel() -> None:
    found = [window for window, _ in plan(SOUND, Vad.OFF)]
    assert [(w.index, w.channel, w.start_ms) for w in found] == [
        (0, 0, 0),
        (1, 1, 0),
        (2, 0, 30_000),
        (3, 1, 30_000),
    ]


def test_deciding_early_changes_no_window() -> None:
    assert plan(SOUND, look_ahead=4) == plan(SOUND)


def test_a_plain_dialogue_is_decided_before_ten_minutes() -> None:
    windower = DialogueWindows(Vad.AUTO)
    found = [*windower.feed(np.concatenate([SOUND] * 3))]
    assert windower.by_channel
    assert {window.channel for window, _ in found} == {0, 1}


def test_an_empty_side_is_waited_for() -> None:
    """A long opening on one side alone says nothing about the other."""
    opening = np.stack((SOUND[:, 0], np.zeros(len(SOUND), np.int16)), axis=1)
    windower = DialogueWindows(Vad.AUTO)
    assert [*windower.feed(np.concatenate([opening] * 4))] == []
    assert {w.channel for w, _ in (*windower.feed(SOUND), *windower.finish())} == {0, 1}


WHOLE = {vad: plan(SOUND, vad) for vad in Vad}


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(Vad), st.lists(st.integers(1, 3 * UNIT), min_size=1, max_size=20))
def test_the_plan_does_not_depend_on_the_size_of_blocks(vad: Vad, sizes: list[int]) -> None:
    assert plan(SOUND, vad, sizes) == WHOLE[vad]


async def test_mono_mode_mixes(run: Any, speech_spec: EngineSpec) -> None:
    sink = MemorySink()
    result = await run(speech.DIALOGUE, speech_spec, TranscribeOptions(), sink=sink)
    assert not result.summary.speakers_by_channel
    assert {window.channel for window in sink.windows.values()} == {None}
    assert {segment.speaker for segment in result.segments} == {None}
