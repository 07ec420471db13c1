"""Two sentences with something between them that is no speech: their words, and none besides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from app.asr.types import EngineSpec, TranscribeOptions
from tests.fixtures import speech
from tests.fixtures.sounds import SOUNDS
from tests.unit.asr.recordings import wav

RATE = 16_000
LEVEL = 1_500  # of 32768; the sentences have about 4000
SLACK_MS = 300
FIRST, SECOND = 1, 7
# The small model knows clean speech only: noise up to the edge of a sentence may cost it two words of six.
MOST_ERRORS = {"silence": 0.0, "white noise": 0.34, "pink noise": 0.34, "music": 0.34}


def sentence(number: int) -> np.ndarray:
    with av.open(str(speech.sentence(number))) as container:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])


def between(name: str, seconds: int) -> np.ndarray:
    """The sound as int16; a long one is a minute of it again and again."""
    minute = SOUNDS[name](min(seconds, 60)) * LEVEL
    return np.tile(minute.clip(-32_768, 32_767).astype(np.int16), max(1, seconds // 60))


@pytest.mark.parametrize("seconds", [10, *(pytest.param(n, marks=pytest.mark.long) for n in (60, 600))])
@pytest.mark.parametrize("name", SOUNDS)
async def test_no_word_outside_speech(
    name: str, seconds: int, run: Any, speech_spec: EngineSpec, tmp_path: Path
) -> None:
    first, second, middle = sentence(FIRST), sentence(SECOND), between(name, seconds)
    path = tmp_path / "a.wav"
    path.write_bytes(wav(np.concatenate((first, middle, second)).astype("<i2").tobytes()))
    [one], [two] = speech.said(speech.sentence(FIRST)), speech.said(speech.sentence(SECOND))
    shift = (len(first) + len(middle)) * 1000 // RATE
    spans = [(one.start_ms, one.end_ms), (two.start_ms + shift, two.end_ms + shift)]

    result = await run(path, speech_spec, TranscribeOptions())

    heard: tuple[list[str], list[str]] = ([], [])
    for word in (word for segment in result.segments for word in segment.words):
        inside = [
            i for i, (a, b) in enumerate(spans) if a - SLACK_MS <= word.start_ms < word.end_ms <= b + SLACK_MS
        ]
        assert inside, word
        heard[inside[0]].append(word.text)
    for utterance, words in zip((one, two), heard, strict=True):
        assert speech.word_error_rate(utterance.text, " ".join(words)) <= MOST_ERRORS[name]
    assert result.summary.speech_ms <= sum(end - start + 2 * SLACK_MS for start, end in spans)
