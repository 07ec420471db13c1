"""whisper.cpp's binding: every parameter on every call, prompts that arrive and do not stay, word times by alignment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.asr.engines import alignment, prompts, whisper_cpp
from app.asr.engines.whisper_parameters import TEMPERATURE_STEP, Call, fill, parameters
from app.asr.models import ggml
from app.asr.types import DTW, EngineSpec, Window, WindowOptions, WindowResult
from tests.fixtures import counting_model, scripted_model, speech
from tests.unit.asr.recordings import decoded

SECOND = Window(0, 0, 1_200)
SOUND = np.random.default_rng(0).standard_normal(19_200).astype(np.float32) * np.float32(0.1)


class Recorder:
    """Takes what is set and called, and remembers the names."""

    def __init__(self) -> None:
        object.__setattr__(self, "names", set())

    def __setattr__(self, name: str, value: object) -> None:
        self.names.add(name)

    def __getattr__(self, name: str) -> Any:
        self.names.add(name)
        return lambda: None


def test_every_parameter_of_the_library_is_set_but_the_one_that_must_not_be() -> None:
    recorder = Recorder()
    fill(recorder, Call("en"))
    assert (
        "suppress_regex" not in recorder.names
    )  # "" is not none: it would be tried on each token at each step
    for name in (n for n in dir(parameters(Call("en"))) if not n.startswith("_")):
        if name in ("strategy", "suppress_regex") or name.endswith("_user_data") or name.startswith("set_"):
            continue  # what made the object; what only has a meaning with a callback; the setters of callbacks
        known = {"prompt_tokens": "clear_prompt_tokens", "prompt_n_tokens": "clear_prompt_tokens"}
        known["progress_callback"] = "clear_progress_callback"
        assert known.get(name, name) in recorder.names, f"{name} is not set on every call"


def test_the_first_attempt_draws_no_random_numbers() -> None:
    assert parameters(Call("en")).temperature_inc == 0
    assert parameters(Call("en", attempt=1)).temperature_inc > 0


def test_attempts_begin_warmer_and_end_within_the_ladder() -> None:
    warmth = [parameters(Call("en", attempt=attempt)).temperature for attempt in range(4)]
    assert warmth == pytest.approx([0, TEMPERATURE_STEP, 2 * TEMPERATURE_STEP, 2 * TEMPERATURE_STEP])


def loaded(spec: EngineSpec) -> whisper_cpp.WhisperCpp:
    engine = whisper_cpp.create()
    engine.load(spec)
    return engine


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> EngineSpec:
    path = counting_model.build(tmp_path_factory.mktemp("counting") / "counting.bin")
    return EngineSpec("whisper_cpp", "counting", str(path))


def first_word(result: WindowResult) -> int:
    return int(result.segments[0].text.split()[0].removeprefix("w"))


def test_a_prompt_reaches_the_decoder_whole_and_does_not_stay(counting: EngineSpec) -> None:
    engine = loaded(counting)
    plain = engine.transcribe(SOUND, SECOND, WindowOptions("en"))
    for count in (1, 2, 9):
        prompt = " ".join(f"w{number:02}" for number in range(count))
        told = engine.transcribe(SOUND, SECOND, WindowOptions("en", prompt=prompt))
        assert first_word(told) == first_word(plain) + count + 1  # and the mark before it
        assert engine.transcribe(SOUND, SECOND, WindowOptions("en")).segments == plain.segments
    assert loaded(counting).transcribe(SOUND, SECOND, WindowOptions("en")).segments == plain.segments


def test_a_prompt_that_is_too_long_loses_whole_terms(counting: EngineSpec) -> None:
    engine = loaded(counting)
    options = WindowOptions(
        "en",
        vocabulary=tuple(f"w{n % 24:02} w{n % 24:02} w{n % 24:02}" for n in range(99)),
        prompt="w01 " * 150,
    )
    call = engine._call("en", options)
    assert 200 < call.prompt_tokens <= 223
    assert call.prompt.endswith(".")
    assert engine.transcribe(SOUND, SECOND, options).segments  # the decoder has room left for text


def test_a_prompt_changes_what_the_speech_model_is_sure_of(speech_spec: EngineSpec) -> None:
    engine = loaded(speech_spec)
    sound = decoded(speech.sentence(0)).astype(np.float32) / 32768
    window = Window(0, 0, sound.size // 16)
    told = WindowOptions("en", vocabulary=("Sunday phone", "letter"))
    plain = engine.transcribe(sound, window, WindowOptions("en"))
    assert engine.transcribe(sound, window, told).segments[0].confidence != plain.segments[0].confidence
    assert engine.transcribe(sound, window, WindowOptions("en")).segments == plain.segments


def test_a_warmer_attempt_depends_on_nothing_before_it(speech_spec: EngineSpec) -> None:
    """The text of noise is nothing but chance, so it shows whether chance begins anew."""
    window, warm = Window(0, 0, 6_000), WindowOptions("en", attempt=1)
    noise = np.random.default_rng(1).standard_normal(96_000).astype(np.float32).cumsum()
    noise = np.asarray(noise / np.abs(noise).max() * 0.5, np.float32)
    engine = loaded(speech_spec)
    first = engine.transcribe(noise, window, warm)
    assert first.segments
    assert engine.transcribe(noise, window, warm).segments == first.segments
    engine.transcribe(noise[:32_000], Window(1, 0, 2_000), warm)
    assert engine.transcribe(noise, window, warm).segments == first.segments


def test_translation_of_an_english_model_changes_nothing(speech_spec: EngineSpec) -> None:
    engine = loaded(speech_spec)
    assert engine._call("en", WindowOptions("en", translate=True)).translate is False


def test_translation_is_asked_of_a_multilingual_model(counting: EngineSpec) -> None:
    call = loaded(counting)._call("de", WindowOptions("de", translate=True))
    assert parameters(call).translate is True


def words(text: str) -> int:
    return len(text.split())


def test_prompts_keep_whole_terms_and_the_end_of_the_style() -> None:
    assert prompts.compose("", (), 9, words) == ""
    assert (
        prompts.compose(" In the  harbour. ", ("Ada", "Grace Hopper"), 9, words)
        == " In the harbour. Ada, Grace Hopper."
    )
    assert prompts.compose("", ("a", "b c d", "e"), 2, words) == " a, e."
    assert (
        prompts.compose("one two three four five six", ("a", "b", "c", "d", "e"), 6, words)
        == " five six a, b, c, d."
    )


def test_alignment_heads_by_dimensions(tmp_path: Path, speech_spec: EngineSpec) -> None:
    tiny = ggml.read_header(scripted_model.build("tiny", tmp_path / "tiny.bin"))
    assert alignment.heads(tiny).preset == "TINY"
    assert speech_spec.model_path is not None
    own = alignment.heads(ggml.read_header(Path(speech_spec.model_path)))
    assert own.preset == "N_TOP_MOST"
    assert own.layers >= 1


def starts(result: WindowResult) -> list[int]:
    return [word.start_ms for segment in result.segments for word in segment.words]


def test_word_times_by_alignment(speech_spec: EngineSpec) -> None:
    """The same text, with starts that agree with the others to a few tenths of a second."""
    spec = EngineSpec("whisper_cpp", speech_spec.model, speech_spec.model_path, word_times=DTW)
    sound = decoded(speech.sentence(3)).astype(np.float32) / 32768
    window = Window(0, 0, sound.size // 16, speech=((300, 2_486),))
    guessed = loaded(speech_spec).transcribe(sound, window, WindowOptions("en"))
    aligned = loaded(spec).transcribe(sound, window, WindowOptions("en"))
    assert [s.text for s in aligned.segments] == [s.text for s in guessed.segments]
    assert starts(aligned) != starts(guessed)
    assert starts(aligned) == sorted(starts(aligned))
    apart = [abs(a - b) for a, b in zip(starts(aligned), starts(guessed), strict=True)]
    assert sorted(apart)[len(apart) // 2] <= 400


def test_alignment_with_the_heads_of_a_real_size(tmp_path: Path) -> None:
    path = scripted_model.build("tiny", tmp_path / "tiny.bin")
    result = loaded(EngineSpec("whisper_cpp", "tiny", str(path), word_times=DTW)).transcribe(
        SOUND, SECOND, WindowOptions("en")
    )
    assert result.segments
