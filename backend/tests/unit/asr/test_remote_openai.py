"""OpenAI's real SDK against a fake server: what is asked, what is made of answers and failures."""

from __future__ import annotations

import asyncio
import base64
import io
import math
import subprocess
import sys
from dataclasses import replace
from datetime import date
from typing import Any

import av
import pytest

from app.asr.engines.openai import OpenAI, hints
from app.asr.host.decoder import Decoder, Planned
from app.asr.limits import MediaLimits
from app.asr.remote import flac
from app.asr.remote.asking import Patience
from app.asr.remote.breaker import CircuitBreaker
from app.asr.remote.calls import MemoryCalls
from app.asr.remote.errors import ProviderError
from app.asr.remote.hearer import RemoteHearer
from app.asr.remote.openai_answers import window_result
from app.asr.remote.openai_models import (
    OPENAI_MODELS,
    RemoteModel,
    remote_model,
    retirement_notice,
    retirement_refusal,
)
from app.asr.types import EngineSpec, TranscribeOptions, Vad, Window, WindowOptions, Word
from app.core.config import CloudSettings
from tests.fixtures.app import build_settings
from tests.fixtures.providers import OPENAI_KEY, FakeProviders
from tests.fixtures.server import BACKEND
from tests.fixtures.speech import MONOLOGUE

QUICK = Patience(
    attempts=4, first_pause=0.01, longest_pause=0.2, jitter=0.01, poll_first=0.02, poll_most=0.05
)
PCM = bytes(range(250)) * 640  # 5 s of something
WINDOW = Window(2, 60_000, 65_000)
VERBOSE = {
    "task": "transcribe",
    "language": "english",
    "duration": 5.0,
    "text": "Hello there. Good bye.",
    "segments": [
        {"id": 0, "start": 0.5, "end": 1.5, "text": " Hello there.", "avg_logprob": -0.1},
        {"id": 1, "start": 2.0, "end": 3.0, "text": " Good bye.", "avg_logprob": -1.5},
    ],
    "words": [
        {"word": "Hello", "start": 0.5, "end": 0.9},
        {"word": "there", "start": 1.0, "end": 1.5},
        {"word": "Good", "start": 2.0, "end": 2.4},
        {"word": "bye", "start": 2.5, "end": 9.0},
    ],
}


async def nothing() -> None:
    """What is to happen when a window starts."""


def settings(providers: FakeProviders, tmp_path: Any, **changes: Any) -> CloudSettings:
    return build_settings(tmp_path, **(providers.settings | changes)).cloud


@pytest.fixture
async def openai(providers: FakeProviders, tmp_path: Any) -> Any:
    client = OpenAI(settings(providers, tmp_path), CircuitBreaker(), QUICK)
    yield client
    await client.close()


async def hear(openai: OpenAI, model: RemoteModel | None = None, options: WindowOptions | None = None) -> Any:
    return await openai.hear(model or openai.model(None), PCM, WINDOW, options or WindowOptions())


async def test_words_and_segments_come_with_absolute_times(providers: FakeProviders, openai: OpenAI) -> None:
    providers.script = lambda _audio, _asked: VERBOSE
    result = await hear(openai, options=WindowOptions(language="en"))
    first, second = result.segments
    assert (first.start_ms, first.end_ms, first.text) == (60_500, 61_500, "Hello there.")
    assert first.words == (Word("Hello", 60_500, 60_900), Word("there.", 61_000, 61_500))
    assert second.words[-1] == Word("bye.", 62_500, 65_000)  # kept inside its window
    assert first.confidence == pytest.approx(0.9048, abs=1e-3)
    assert result.language == "en"
    [form] = providers.forms
    assert form["language"] == ["en"]
    assert form["response_format"] == ["verbose_json"]
    assert form["timestamp_granularities"] == ["word", "segment"]


async def test_the_audio_arrives_as_it_was(providers: FakeProviders, openai: OpenAI) -> None:
    heard = []

    def script(audio: bytes, _asked: Any) -> dict[str, Any]:
        with av.open(io.BytesIO(audio)) as container:
            heard.append(b"".join(frame.to_ndarray().tobytes() for frame in container.decode(audio=0)))
        return VERBOSE

    providers.script = script
    await hear(openai)
    assert heard == [PCM]


async def test_a_server_that_refuses_times_is_asked_for_less_and_remembered(
    providers: FakeProviders, openai: OpenAI
) -> None:
    providers.script = lambda _audio, asked: (
        {"text": "One. Two."}
        if asked["response_format"] == ["json"]
        else {"refuse": "verbose_json is not supported"}
    )
    window = replace(WINDOW, speech=((61_000, 62_000), (63_000, 64_000)))
    for _ in range(2):
        result = await openai.hear(openai.model("own-model"), PCM, window, WindowOptions())
    assert [form["response_format"] for form in providers.forms] == [["verbose_json"], ["json"], ["json"]]
    assert [(s.text, s.start_ms, s.end_ms) for s in result.segments] == [
        ("One.", 61_000, 62_000),
        ("Two.", 63_000, 64_000),
    ]


async def test_speakers_of_a_diarizing_model(providers: FakeProviders, openai: OpenAI) -> None:
    providers.script = lambda _audio, _asked: {
        "task": "transcribe",
        "duration": 5,
        "text": "Hi. Yes.",
        "segments": [
            {
                "type": "transcript.text.segment",
                "id": "a",
                "start": 0,
                "end": 1,
                "text": "Hi.",
                "speaker": "A",
            },
            {
                "type": "transcript.text.segment",
                "id": "b",
                "start": 1,
                "end": 2,
                "text": "Yes.",
                "speaker": "B",
            },
        ],
    }
    model = OPENAI_MODELS["gpt-4o-transcribe-diarize"]
    calls = MemoryCalls()
    hearer = RemoteHearer(openai, model, calls)
    spec = EngineSpec("openai", model.name)
    options = WindowOptions(prompt="Style.", vocabulary=("Kubernetes",))
    started = []

    async def on_start() -> None:
        started.append(len(providers.forms))

    later = await hearer.submit("job", spec, options, WINDOW, PCM, on_start)
    first = await hearer.submit("job", spec, options, replace(WINDOW, index=0), PCM, on_start)
    assert [s.speaker for s in first.segments] == ["A", "B"]
    assert [s.speaker for s in later.segments] == ["A3", "B3"]  # nobody knows whether it is the same A
    assert providers.forms[0]["chunking_strategy"] == ["auto"]
    assert providers.forms[0]["response_format"] == ["diarized_json"]
    assert "prompt" not in providers.forms[0]
    assert started == [0, 1]
    assert calls.begun == [2, 0]
    assert calls.models == [model.name] * 2


async def test_voices_of_the_first_window_are_known_in_the_later_ones(
    providers: FakeProviders, openai: OpenAI
) -> None:
    def script(_audio: bytes, asked: dict[str, Any]) -> dict[str, Any]:
        later = "known_speaker_names" in asked
        said = [(0, 3, "A"), (3, 4, "C")] if later else [(0, 2.5, "A"), (2.5, 4.5, "B"), (4.5, 5, "D")]
        return {
            "text": "x",
            "segments": [{"start": a, "end": b, "text": f"Words {n}.", "speaker": n} for a, b, n in said],
        }

    providers.script = script
    model = OPENAI_MODELS["gpt-4o-transcribe-diarize"]
    hearer = RemoteHearer(openai, model, MemoryCalls())

    async def hear(index: int) -> list[str | None]:
        window = Window(index, index * 5_000, index * 5_000 + 5_000)
        spec = EngineSpec("openai", model.name)
        result = await hearer.submit("job", spec, WindowOptions(), window, PCM, nothing)
        return [segment.speaker for segment in result.segments]

    first, second, third = await asyncio.gather(hear(0), hear(1), hear(2))
    assert first == ["A", "B", "D"]
    assert second == ["A", "C2"]  # C was not heard before: it may be D, or somebody new
    assert third == ["A", "C3"]
    sent = [form for form in providers.forms if "known_speaker_names" in form]
    assert len(sent) == 2
    assert sent[0]["known_speaker_names"] == ["A", "B"]  # D spoke too shortly for a sample
    samples = [
        b"".join(frame.to_ndarray().tobytes() for frame in av.open(io.BytesIO(data)).decode(audio=0))
        for data in (base64.b64decode(url.partition(",")[2]) for url in sent[0]["known_speaker_references"])
    ]
    assert samples == [PCM[: 2_500 * 32], PCM[2_500 * 32 : 4_500 * 32]]


async def test_later_windows_do_not_wait_for_one_that_failed(
    providers: FakeProviders, openai: OpenAI
) -> None:
    providers.script = lambda _audio, _asked: {"refuse": "no"}
    model = OPENAI_MODELS["gpt-4o-transcribe-diarize"]
    hearer = RemoteHearer(openai, model, MemoryCalls())
    tries = [
        hearer.submit("job", EngineSpec("openai"), WindowOptions(), replace(WINDOW, index=n), PCM, nothing)
        for n in range(3)
    ]
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ProviderError] * 3


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("whisper-1", {"prompt": "Ada, Linux Be brief."}),
        ("gpt-transcribe", {"keywords": ["Ada", "Linux"], "prompt": "Be brief."}),
        ("gpt-4o-transcribe-diarize", {}),
    ],
)
def test_hints_go_where_the_model_takes_them(model: str, expected: dict[str, Any]) -> None:
    options = WindowOptions(vocabulary=("Ada", "Linux"), prompt="Be brief.")
    assert hints(OPENAI_MODELS[model], options) == expected


async def test_translation_goes_to_its_own_address(providers: FakeProviders, openai: OpenAI) -> None:
    providers.script = lambda _audio, _asked: VERBOSE
    result = await hear(openai, options=WindowOptions(language="de", translate=True))
    assert providers.forms[0]["path"] == ["/v1/audio/translations"]
    assert result.language == "en"


@pytest.mark.parametrize("fault", ["429", "500", "timeout", "lost", "dropped", "garbage", "shape"])
async def test_a_failure_that_may_pass_is_asked_again(
    providers: FakeProviders, openai: OpenAI, fault: str
) -> None:
    providers.script = lambda _audio, _asked: VERBOSE
    faults = iter([fault])
    providers.fail = lambda _request: next(faults, None)
    assert (await hear(openai)).segments
    assert len(providers.requests) == 2  # ours: the SDK's own retries are off


async def test_failures_end_with_their_code(providers: FakeProviders, openai: OpenAI) -> None:
    providers.fail = lambda _request: "500"
    with pytest.raises(ProviderError) as caught:
        await hear(openai)
    assert (caught.value.code, caught.value.retryable) == ("provider_failed", True)
    assert len(providers.requests) == QUICK.attempts
    assert OPENAI_KEY not in caught.value.message
    providers.fail = lambda _request: None
    providers.script = lambda _audio, _asked: {"refuse": "The audio is too strange."}
    with pytest.raises(ProviderError, match="too strange") as caught:
        await hear(openai, OPENAI_MODELS["whisper-1"])
    assert (caught.value.code, caught.value.retryable) == ("provider_rejected", False)
    assert len(providers.requests) == QUICK.attempts + 1


async def test_a_refused_key_is_named_but_not_shown(providers: FakeProviders, openai: OpenAI) -> None:
    providers.openai_key = "another"
    with pytest.raises(ProviderError, match="OPENAI_API_KEY") as caught:
        await hear(openai)
    assert caught.value.code == "provider_unauthorised"
    assert OPENAI_KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert len(providers.requests) == 1


async def test_a_circuit_opens_and_a_probe_closes_it(providers: FakeProviders, tmp_path: Any) -> None:
    now = [0.0]
    breaker = CircuitBreaker(opens_after=3, pause_seconds=30, clock=lambda: now[0])
    openai = OpenAI(settings(providers, tmp_path), breaker, QUICK)
    providers.script = lambda _audio, _asked: VERBOSE
    providers.fail = lambda _request: "500"
    with pytest.raises(ProviderError) as caught:
        await hear(openai)
    assert caught.value.code == "provider_down"
    assert len(providers.requests) == 3
    with pytest.raises(ProviderError, match="left alone"):
        await hear(openai)
    assert len(providers.requests) == 3  # nothing goes out
    now[0] = 31
    assert breaker.retry_in is None
    with pytest.raises(ProviderError):
        await hear(openai)
    assert len(providers.requests) == 4  # the probe failed: open again
    now[0] = 62
    providers.fail = None
    assert (await hear(openai)).segments
    assert breaker.retry_in is None
    await openai.close()


def test_only_one_probe_passes_at_a_time() -> None:
    now = [0.0]
    breaker = CircuitBreaker(opens_after=1, pause_seconds=10, clock=lambda: now[0])
    assert breaker.enter()
    breaker.failed()
    assert not breaker.enter()
    now[0] = 11
    assert breaker.enter()
    assert not breaker.enter()
    breaker.left()  # called off: the next may probe
    assert breaker.enter()
    breaker.succeeded()
    assert breaker.enter()
    assert breaker.enter()


def test_models_retire_at_openai_only() -> None:
    whisper = remote_model("whisper-1", "")
    assert retirement_refusal(whisper, date(2027, 2, 25)) is None
    assert "2027-02-26" in (retirement_refusal(whisper, date(2027, 2, 26)) or "")
    assert retirement_notice(whisper, date(2026, 11, 27)) is None
    notice = retirement_notice(whisper, date(2026, 11, 28))
    assert notice is not None
    assert notice.code == "model_retires"
    own = remote_model("whisper-1", "http://speech.example.org/v1")
    assert own.retires_on is None
    assert own.formats == ("verbose_json", "json")


def test_every_window_fits_its_provider() -> None:
    for model in OPENAI_MODELS.values():
        assert model.max_seconds is None or model.window_ms <= model.max_seconds * 1000
        assert model.max_bytes is None or model.window_ms * 32 * 1.02 < model.max_bytes


@pytest.mark.parametrize("vad", list(Vad))
async def test_the_decoder_cuts_longer_windows_where_they_are_taken(vad: Vad) -> None:
    async def windows(window_ms: int | None) -> list[tuple[Window, int]]:
        options = TranscribeOptions(vad=vad)
        async with Decoder(nice=0).open(MONOLOGUE, options, MediaLimits(), window_ms=window_ms) as events:
            return [(e.window, len(e.pcm)) async for e in events if isinstance(e, Planned)]

    usual, longer = await windows(None), await windows(600_000)
    assert len(usual) > 1
    assert max(window.duration_ms for window, _ in usual) <= 30_000
    [(whole, size)] = longer
    assert whole.duration_ms > 30_000
    assert abs(size / 32 - whole.duration_ms) <= 1
    assert list(whole.speech) == [region for window, _ in usual for region in window.speech]


def test_flac_of_noise_is_hardly_larger_than_its_samples() -> None:
    import random

    noise = random.Random(1).randbytes(320_000)
    assert len(flac.encode(noise)) < len(noise) * 1.02 + 10_000  # a fixed head


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"text": 1},
        {"text": "x", "segments": [{"text": "x"}]},
        {"text": "x", "words": ["x"]},
        *(
            {"text": "x", "segments": [{"text": "x", "start": start, "end": 1, "avg_logprob": likely}]}
            for start, likely in ((math.inf, 0), (math.nan, 0), ("0", 0), (0, 1e9))
        ),
    ],
)
def test_row_46_answers_of_another_shape_are_garbage(answer: Any) -> None:
    with pytest.raises(ValueError):
        window_result(answer, WINDOW)


@pytest.mark.parametrize(("start", "end"), [(-5, -1), (-1e6, 1e6), (4, 2), (1e9, 2e9), (0, 0)])
def test_row_46_times_are_kept_inside_the_window(start: float, end: float) -> None:
    place = {"start": start, "end": end}
    answer = {"text": "x", "segments": [place | {"text": "x"}], "words": [place | {"word": "x"}]}
    (segment,) = window_result(answer, WINDOW).segments
    for heard in (segment, *segment.words):
        assert WINDOW.start_ms <= heard.start_ms < heard.end_ms <= WINDOW.end_ms


def test_words_find_their_segment_by_time_where_the_spelling_differs() -> None:
    answer = VERBOSE | {"words": [*VERBOSE["words"], {"word": "uh", "start": 3.0, "end": 3.1}]}  # type: ignore[misc]
    first, second = window_result(answer, WINDOW).segments
    assert [w.text for w in first.words] == ["Hello", "there"]
    assert [w.text for w in second.words] == ["Good", "bye", "uh"]


def test_a_server_that_asks_nobody_loads_no_sdk() -> None:
    """Both together take a second to import: the start of the server must not pay for them."""
    program = "import sys, app.main; print(*{'assemblyai', 'openai', 'httpx', 'av'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=BACKEND
    )
    assert done.stdout.split() == []
