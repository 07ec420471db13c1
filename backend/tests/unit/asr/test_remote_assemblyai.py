"""AssemblyAI's real SDK against a fake server: one submission, whatever fails around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.asr.engines.assemblyai import AssemblyAI
from app.asr.host.decoder import Decoder
from app.asr.limits import MediaLimits
from app.asr.remote.breaker import CircuitBreaker
from app.asr.remote.calls import MemoryCalls
from app.asr.remote.errors import ProviderError, clean
from app.asr.remote.recording import transcribe_recording
from app.asr.sinks import MemorySink
from app.asr.types import MIXED, EngineSpec, Mode, TranscribeOptions, Vad, Window, Word
from app.core.errors import JobError
from tests.fixtures.app import build_settings
from tests.fixtures.providers import AAI_KEY, FakeProviders, spoken
from tests.fixtures.wav import write_wav
from tests.unit.asr.test_remote_openai import QUICK

SPEC = EngineSpec("assemblyai", "universal-3-5-pro")
OFF = TranscribeOptions(vad=Vad.OFF)
DIALOGUE = spoken(
    ("A", "Good morning. How are you?", 200), ("B", "Fine, thank you.", 2_000), ("A", "Splendid.", 3_500)
)


@pytest.fixture
async def aai(providers: FakeProviders, tmp_path: Path) -> AsyncIterator[AssemblyAI]:
    providers.script = lambda _audio, _asked: DIALOGUE
    client = AssemblyAI(
        build_settings(tmp_path, **providers.settings).cloud, CircuitBreaker(opens_after=50), QUICK
    )
    yield client
    await client.close()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "talk.wav", np.zeros(80_000, np.float32))


async def run(
    aai: AssemblyAI, source: Path, options: TranscribeOptions = OFF, **changes: Any
) -> tuple[MemorySink, MemoryCalls]:
    sink, calls = changes.pop("sink", MemorySink()), changes.pop("calls", MemoryCalls())
    await transcribe_recording(
        source,
        SPEC,
        options,
        provider=aai,
        calls=calls,
        decoder=Decoder(nice=0),
        sink=sink,
        limits=MediaLimits(),
        **changes,
    )
    return sink, calls


async def test_turns_and_words_are_mapped_exactly(
    providers: FakeProviders, aai: AssemblyAI, recording: Path
) -> None:
    options = TranscribeOptions(
        vad=Vad.OFF,
        mode=Mode.DIALOGUE,
        max_speakers=3,
        vocabulary=("Ada Lovelace", "one two three four five six seven"),
    )
    sink, calls = await run(aai, recording, options)
    assert [(s.speaker, s.text, s.start_ms, s.end_ms) for s in sink.segments] == [
        ("A", "Good morning.", 200, 750),
        ("A", "How are you?", 800, 1_650),
        ("B", "Fine, thank you.", 2_000, 2_850),
        ("A", "Splendid.", 3_500, 3_750),
    ]
    assert sink.segments[0].words == (Word("Good", 200, 450, 0.9), Word("morning.", 500, 750, 0.9))
    assert sink.windows[0] == Window(0, 0, 5_000)
    assert sink.results[0].language == "en"
    assert calls.models == ["universal-3-5-pro"]
    [transcript] = providers.transcripts.values()
    asked = transcript.asked
    assert asked["speech_models"] == ["universal-3-5-pro", "universal-2"]
    assert asked["speaker_labels"] is True
    assert asked["speaker_options"] == {"max_speakers_expected": 3}
    assert asked["keyterms_prompt"] == ["Ada Lovelace"]
    assert asked["language_detection"] is True
    assert "speech_model" not in asked
    assert next(iter(providers.uploads.values())) == recording.read_bytes()


@pytest.mark.parametrize(
    ("options", "expected", "absent"),
    [
        (
            TranscribeOptions(language="de", vad=Vad.OFF, prompt="A lecture."),
            {"language_code": "de", "prompt": "A lecture."},
            "language_detection",
        ),
        (
            TranscribeOptions(language=MIXED, vad=Vad.OFF),
            {"language_detection_options": {"code_switching": True}},
            "language_code",
        ),
        (
            TranscribeOptions(vad=Vad.OFF, mode=Mode.DIALOGUE, speakers=2),
            {"speaker_options": {"min_speakers_expected": 2, "max_speakers_expected": 2}},
            "prompt",
        ),
    ],
)
async def test_options_in_the_providers_words(
    providers: FakeProviders,
    aai: AssemblyAI,
    recording: Path,
    options: TranscribeOptions,
    expected: Any,
    absent: str,
) -> None:
    await run(aai, recording, options)
    asked = providers.transcripts["t-1"].asked
    assert asked | expected == asked
    assert absent not in asked


async def test_a_recording_without_speech_is_not_sent(
    providers: FakeProviders, aai: AssemblyAI, recording: Path
) -> None:
    sink, calls = await run(aai, recording, TranscribeOptions())
    assert sink.summary is not None
    assert (sink.segments, calls.begun, providers.requests) == ((), [], [])


async def test_what_is_no_recording_is_not_sent(
    providers: FakeProviders, aai: AssemblyAI, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("no sound")
    with pytest.raises(JobError) as caught:
        await run(aai, tmp_path / "notes.txt")
    assert caught.value.code == "unsupported_media"
    assert providers.requests == []


@pytest.mark.parametrize("step", ["/v2/upload", "/v2/transcript", "/v2/transcript/t-1"])
@pytest.mark.parametrize("fault", ["429", "500", "timeout", "lost", "dropped", "garbage", "shape"])
async def test_a_fault_at_any_step_costs_no_second_submission(
    providers: FakeProviders, aai: AssemblyAI, recording: Path, step: str, fault: str
) -> None:
    left = [fault, fault]
    providers.fail = lambda request: (
        left.pop() if left and request.path == step and request.method != "DELETE" else None
    )
    sink, _ = await run(aai, recording)
    assert len(sink.segments) == 4
    assert left == []
    assert set(providers.submissions.values()) == {1}


async def test_an_open_call_is_found_again(
    providers: FakeProviders, aai: AssemblyAI, recording: Path
) -> None:
    calls = MemoryCalls()
    call = await calls.begin(0, 5_000)
    await calls.uploaded(call, await aai.upload(recording))
    await aai.submit(call.upload_url or "", None, OFF, unsure=False)  # its answer was lost with the process
    sink, _ = await run(aai, recording, calls=calls)
    assert len(sink.segments) == 4
    assert (len(providers.uploads), len(providers.transcripts)) == (1, 1)

    call = await calls.begin(0, 5_000)
    await calls.submitted(call, "t-1")
    requests = len(providers.requests)
    await run(aai, recording, calls=calls, planned=Window(0, 0, 5_000))
    assert {request.method for request in providers.requests[requests:]} == {"GET"}


async def test_a_failed_transcript_gives_the_providers_reason(
    providers: FakeProviders, aai: AssemblyAI, recording: Path
) -> None:
    providers.script = lambda _audio, _asked: {
        "status": "error",
        "error": f"Transcoding failed for https://cdn.example.org/x?k=1 with {AAI_KEY}. File type is text.",
    }
    calls = MemoryCalls()
    with pytest.raises(ProviderError, match="Transcoding failed") as caught:
        await run(aai, recording, calls=calls)
    assert (caught.value.code, caught.value.retryable) == ("provider_rejected", False)
    assert AAI_KEY not in caught.value.message
    assert "cdn.example.org" not in caught.value.message
    assert len(calls.failures) == 1


async def test_a_text_that_is_gone_is_asked_for_anew_later(
    providers: FakeProviders, aai: AssemblyAI, recording: Path
) -> None:
    calls = MemoryCalls()
    await calls.submitted(await calls.begin(0, 5_000), "t-unknown")
    with pytest.raises(ProviderError):
        await run(aai, recording, calls=calls)
    assert calls.open == {}
    sink, _ = await run(aai, recording, calls=calls)
    assert len(sink.segments) == 4


async def test_a_refused_key_is_named_but_not_shown(
    providers: FakeProviders, aai: AssemblyAI, recording: Path
) -> None:
    providers.aai_key = "another"
    with pytest.raises(ProviderError, match="ASSEMBLYAI_API_KEY") as caught:
        await run(aai, recording)
    assert (caught.value.code, len(providers.requests)) == ("provider_unauthorised", 1)
    assert AAI_KEY not in str(caught.value)


async def test_what_is_too_long_is_not_sent(
    providers: FakeProviders, aai: AssemblyAI, recording: Path
) -> None:
    with pytest.raises(ProviderError, match="10 hours"):
        await run(aai, recording, planned=Window(0, 0, 36_000_001))
    assert providers.requests == []


async def test_deleting_what_is_not_there_is_no_error(providers: FakeProviders, aai: AssemblyAI) -> None:
    await aai.delete("t-99")
    assert providers.requests[-1].method == "DELETE"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("key sk-proj-abc123DEF refused", "key *** refused"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("see https://example.org/?token=1", "see (address)"),
        ("two\n  lines", "two lines"),
        ("my-own-secret!", "***!"),
    ],
)
def test_row_46_sentences_are_cleaned(said: str, expected: str) -> None:
    assert clean(said, "my-own-secret") == expected
    assert len(clean("x" * 1000)) == 300
