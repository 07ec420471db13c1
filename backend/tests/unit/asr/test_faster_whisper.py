"""A ggml model converted to CTranslate2 and heard through faster-whisper: the same words as whisper.cpp hears."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.asr import ctranslate
from app.asr.ctranslate import vocabulary
from app.asr.ctranslate.prepare import prepared
from app.asr.engines import registry
from app.asr.selection import Variants, availability
from app.asr.types import EngineSpec, TranscribeOptions, Transcription, Vad, Window, WindowOptions
from app.core.errors import JobError
from tests.fixtures import speech, tone_model
from tests.fixtures.tone_model import sequence
from tests.unit.asr.recordings import encode
from tests.unit.asr.test_speech import check_order

pytest.importorskip("faster_whisper", reason="the extra faster-whisper is not installed")

AUTO = TranscribeOptions()


def fast(spec: EngineSpec) -> EngineSpec:
    """The same model through faster_whisper, on the processor."""
    return replace(spec, engine="faster_whisper", device="cpu")


@pytest.fixture(scope="session")
async def converted(speech_spec: EngineSpec) -> EngineSpec:
    return await prepared(fast(speech_spec))


def errors(texts: dict[int, str]) -> float:
    """Word error rate over the sentences."""
    truth = " ".join(speech.said(speech.sentence(number))[0].text for number in texts)
    return speech.word_error_rate(truth, " ".join(texts.values()))


async def test_the_ten_sentences_are_heard_as_whisper_cpp_hears_them(
    run: Callable[..., Any], speech_spec: EngineSpec, converted: EngineSpec
) -> None:
    heard: dict[str, dict[int, str]] = {}
    for name, spec in (("whisper_cpp", speech_spec), ("faster_whisper", converted)):
        results: dict[int, Transcription] = {n: await run(speech.sentence(n), spec, AUTO) for n in range(10)}
        heard[name] = {number: result.text for number, result in results.items()}
        for number in speech.HEARD_EXACTLY:
            [said] = speech.said(speech.sentence(number))
            assert results[number].text == said.text or name == "faster_whisper"
            assert results[number].segments[0].start_ms == pytest.approx(said.start_ms, abs=300)
    # Kernels for int8 round differently from one processor to the next: a few words of the seventy may be others, where
    # a model that was converted wrongly hears none.
    assert errors(heard["faster_whisper"]) <= errors(heard["whisper_cpp"]) + 0.1
    exact = {number: heard["faster_whisper"][number] for number in speech.HEARD_EXACTLY}
    assert errors(exact) <= 0.1


async def test_the_monologue_in_order_and_in_time(run: Callable[..., Any], converted: EngineSpec) -> None:
    from app.asr.sinks import MemorySink

    sink = MemorySink()
    result = await run(speech.MONOLOGUE, converted, AUTO, sink=sink)
    said = speech.said(speech.MONOLOGUE)
    assert speech.word_error_rate(" ".join(u.text for u in said), result.text) <= 0.1
    check_order(result, sink)


async def test_tones_become_words_at_their_times(
    run: Callable[..., Any], tone_spec: EngineSpec, tmp_path: Path
) -> None:
    words = sequence(28, seed=3)
    file = encode(tmp_path / "tones.flac", tone_model.tones(words), "flac")
    result = await run(file, fast(tone_spec), TranscribeOptions(language="en", vad=Vad.OFF))
    segments = [segment for segment in result.segments if segment.text != "."]
    assert [segment.text for segment in segments] == words
    assert all(abs(s.end_ms - 1000 * (i + 1)) <= 40 for i, s in enumerate(segments))


async def test_conversion_happens_once_and_a_damaged_one_is_made_again(
    speech_spec: EngineSpec, tmp_path: Path
) -> None:
    source = Path(shutil.copy(str(speech_spec.model_path), tmp_path / "own.bin"))
    spec = EngineSpec("faster_whisper", "own", str(source))
    first = await prepared(spec)
    folder = Path(str(first.model_path))
    assert folder.parent == tmp_path / "ct2"
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name, f"{folder.name}.lock"]
    made = (folder / "model.bin").stat().st_mtime_ns
    assert await prepared(spec) == first
    assert (folder / "model.bin").stat().st_mtime_ns == made
    with (folder / "model.bin").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(JobError) as refused:
        ctranslate.check_folder(folder)
    assert refused.value.code == "model_invalid"
    await prepared(spec)
    assert (folder / "model.bin").stat().st_size > 1000


async def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "own.bin"
    source.write_bytes(os.urandom(10_000))
    with pytest.raises(JobError) as refused:
        await prepared(EngineSpec("faster_whisper", "own", str(source)))
    assert refused.value.code == "model_invalid"
    assert not [path for path in (tmp_path / "ct2").iterdir() if path.is_dir()]


@pytest.mark.parametrize("missing", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_a_folder_without_a_file_is_refused(converted: EngineSpec, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "own"
    shutil.copytree(str(converted.model_path), folder)
    (folder / "source.json").unlink()
    ctranslate.check_folder(folder)
    (folder / missing).unlink()
    with pytest.raises(JobError) as refused:
        ctranslate.check_folder(folder)
    assert refused.value.code == "model_invalid"
    with pytest.raises(JobError) as absent:
        ctranslate.check_folder(tmp_path / "nothing")
    assert absent.value.code == "model_missing"


def hear(engine: Any, number: int, options: WindowOptions) -> str:
    import av

    with av.open(str(speech.sentence(number))) as source:
        pcm = np.concatenate([frame.to_ndarray().reshape(-1) for frame in source.decode(audio=0)])
    samples = pcm.astype(np.float32) / 32768
    window = Window(0, 0, samples.size // 16)
    return " ".join(s.text for s in engine.transcribe(samples, window, options).segments)


@pytest.fixture(scope="module")
def engine(converted: EngineSpec) -> Any:
    engine = registry.create("faster_whisper")
    engine.load(converted)
    return engine


def test_nothing_is_carried_from_call_to_call(engine: Any) -> None:
    plain = WindowOptions(language="en")
    told = WindowOptions(
        language="en", vocabulary=("Friday", "Thursday"), prompt="Sarah and Mary after the music."
    )
    alone = [hear(engine, number, plain) for number in (0, 1, 2)]
    for number in (0, 1, 2):
        hear(engine, 6, told)
        assert hear(engine, number, plain) == alone[number]
    assert hear(engine, 6, told) == hear(engine, 6, told)


def test_hints_of_any_length_leave_room_for_text(engine: Any) -> None:
    long = WindowOptions(language="en", vocabulary=("Thursday",) * 500, prompt="street " * 2000)
    assert isinstance(hear(engine, 0, long), str)


def test_hints_reach_the_model(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    real = engine._model.transcribe

    def listen(samples: Any, **options: Any) -> Any:
        asked.append(options)
        return real(samples, **options)

    monkeypatch.setattr(engine._model, "transcribe", listen)
    hear(
        engine,
        1,
        WindowOptions("en", translate=True, vocabulary=("Anna", "David"), prompt="Tomorrow.", attempt=1),
    )
    hear(engine, 1, WindowOptions("en"))
    first, second = asked
    assert all(hint in first["initial_prompt"] for hint in ("Anna", "David", "Tomorrow."))
    assert first["task"] == "translate"
    assert first["temperature"] == (0.4, 0.8)
    assert (second["initial_prompt"], second["task"]) == (None, "transcribe")
    assert second["temperature"][0] == 0.0


def test_a_language_that_whisper_does_not_know(tone_spec: EngineSpec, tmp_path: Path) -> None:
    import asyncio

    spec = asyncio.run(prepared(fast(tone_spec)))
    engine = registry.create("faster_whisper")
    engine.load(spec)
    with pytest.raises(JobError) as refused:
        engine.transcribe(np.zeros(16_000, np.float32), Window(0, 0, 1000), WindowOptions("xx"))
    assert refused.value.code == "engine_failed"


def test_cuda_that_is_not_here_is_told(converted: EngineSpec) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("this machine has CUDA")
    with pytest.raises(JobError, match="FASTER_WHISPER_DEVICE"):
        registry.create("faster_whisper").load(replace(converted, device="cuda"))


@pytest.mark.parametrize(
    ("n_vocab", "text", "count"), [(51_864, 50_256, 99), (51_865, 50_257, 99), (51_866, 50_257, 100)]
)
def test_marks_are_where_every_whisper_has_them(n_vocab: int, text: int, count: int) -> None:
    whisper = pytest.importorskip("_pywhispercpp")
    names = vocabulary.token_names([], n_vocab)
    assert len(names) == len(set(names)) == n_vocab
    assert names[text] == "<|endoftext|>"
    assert names[-1] == "<|30.00|>"
    for code in ("en", "de", "haw", "su"):
        assert names[text + 2 + whisper.whisper_lang_id(code)] == f"<|{code}|>"
    assert vocabulary.languages(n_vocab) == count


def test_the_tokenizer_takes_text_apart_as_byte_pairs_were_learned(converted: EngineSpec) -> None:
    import tokenizers

    data = json.loads((Path(str(converted.model_path)) / "tokenizer.json").read_text("utf-8"))
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(data))
    for text in (" Zażółć gęślą jaźń", " 東京タワー", " naïve café"):
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text
    assert len(data["model"]["merges"]) == 50_000
    data["model"]["ignore_merges"] = False  # now only the pairs lead to a token
    joined = tokenizers.Tokenizer.from_str(json.dumps(data))
    words = [joined.decode([at]) for at in range(256, 50_256, 17)]
    whole = {word for word in words if word.strip().isalpha() and word.isascii()}
    assert len(whole) > 2000
    for word in whole:
        assert [joined.decode([at]) for at in joined.encode(word, add_special_tokens=False).ids] == [word]


def test_the_settings_reach_the_engine(
    converted: EngineSpec, speech_spec: EngineSpec, tmp_path: Path
) -> None:
    file = str(speech_spec.model_path)
    own = availability("faster_whisper", file, tmp_path, Variants(faster_whisper_device="cpu")).spec
    assert own is not None
    assert (own.model_path, own.device) == (file, "cpu")
    folder = Path(str(converted.model_path))
    named = availability("faster_whisper", file, tmp_path, Variants(str(folder), "cuda")).spec
    assert named == EngineSpec("faster_whisper", folder.name, str(folder), device="cuda")
    missing = availability("faster_whisper", file, tmp_path, Variants(str(tmp_path / "nothing")))
    assert missing.code == "model_missing"


def test_without_the_package_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.asr.engines.registry.find_spec", lambda name: None)
    found = availability("faster_whisper", "base", tmp_path)
    assert found.code == "engine_missing"
    assert "faster-whisper" in str(found.reason)
