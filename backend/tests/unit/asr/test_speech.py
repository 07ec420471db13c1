"""Real words through voice detection, windows and the small speech model."""

from __future__ import annotations

from typing import Any

import pytest

from app.asr.engines.registry import installed
from app.asr.sinks import MemorySink
from app.asr.types import EngineSpec, TranscribeOptions, Transcription
from tests.fixtures import speech

AUTO = TranscribeOptions()


def check_order(result: Transcription, sink: MemorySink) -> None:
    """Segments and words are in order, inside their windows, and never empty."""
    clock = 0
    for segment in result.segments:
        assert clock <= segment.start_ms < segment.end_ms
        clock = segment.end_ms
        inner = segment.start_ms
        for word in segment.words:
            assert inner <= word.start_ms < word.end_ms <= segment.end_ms
            inner = word.end_ms
        assert " ".join(word.text for word in segment.words) == segment.text
    for index, window in sink.windows.items():
        assert window.duration_ms <= 29_500
        for segment in sink.results[index].segments:
            assert window.start_ms <= segment.start_ms < segment.end_ms <= window.end_ms


@pytest.mark.parametrize("number", speech.HEARD_EXACTLY)
async def test_sentences_word_for_word(number: int, run: Any, speech_spec: EngineSpec) -> None:
    file = speech.sentence(number)
    result = await run(file, speech_spec, AUTO)
    [said] = speech.said(file)
    assert result.text == said.text
    assert result.segments[0].start_ms == pytest.approx(said.start_ms, abs=300)
    assert result.language == "en"


async def test_monologue(run: Any, speech_spec: EngineSpec) -> None:
    sink = MemorySink()
    result = await run(speech.MONOLOGUE, speech_spec, AUTO, sink=sink)
    said = speech.said(speech.MONOLOGUE)
    truth = " ".join(utterance.text for utterance in said)
    assert speech.word_error_rate(truth, result.text) <= 0.066
    starts = [segment.start_ms for segment in result.segments]
    near = [min(abs(start - utterance.start_ms) for start in starts) <= 300 for utterance in said]
    assert sum(near) >= 0.9 * len(said)
    assert not any("no_speech" in segment.flags for segment in result.segments)
    check_order(result, sink)


@pytest.mark.skipif(not installed("pocketsphinx"), reason="no wheel of pocketsphinx for this Python")
async def test_pocketsphinx_is_labelled(run: Any) -> None:
    sink = MemorySink()
    spec = EngineSpec("pocketsphinx", low_accuracy=True)
    result = await run(speech.sentence(7), spec, AUTO, sink=sink)
    assert result.text
    assert result.language == "en"
    assert [notice.code for notice in result.notices] == ["low_accuracy"]
    check_order(result, sink)
