"""Which engine takes a job: a table."""

from __future__ import annotations

import pytest

from app.asr.selection import Availability, choose, validate_request
from app.asr.types import EngineSpec
from app.core.errors import InvalidInputError

WHISPER = EngineSpec("whisper_cpp", "base-q8_0", "/models/ggml-base-q8_0.bin")
SPHINX = EngineSpec("pocketsphinx", low_accuracy=True)
MISSING = Availability(None, "model_missing", "the model base-q8_0 is not here")
ABSENT = Availability(None, "engine_missing", "not installed on this machine")
ORDER = ("whisper_cpp", "pocketsphinx")


@pytest.mark.parametrize(
    ("engine", "language", "strict", "whisper", "sphinx", "expected", "wait"),
    [
        (None, "auto", False, Availability(WHISPER), Availability(SPHINX), WHISPER, None),
        (None, "de", True, Availability(WHISPER), ABSENT, WHISPER, None),
        (None, "auto", False, MISSING, Availability(SPHINX), SPHINX, None),
        (None, "en", False, MISSING, Availability(SPHINX), SPHINX, None),
        (None, "de", False, MISSING, Availability(SPHINX), None, "model_missing"),
        (None, "auto", True, MISSING, Availability(SPHINX), None, "model_missing"),
        (None, "auto", False, MISSING, ABSENT, None, "model_missing"),
        ("whisper_cpp", "auto", False, MISSING, Availability(SPHINX), None, "model_missing"),
        ("pocketsphinx", "en", True, Availability(WHISPER), Availability(SPHINX), SPHINX, None),
        ("pocketsphinx", "en", False, Availability(WHISPER), ABSENT, None, "engine_missing"),
    ],
)
def test_choice(
    engine: str | None,
    language: str,
    strict: bool,
    whisper: Availability,
    sphinx: Availability,
    expected: EngineSpec | None,
    wait: str | None,
) -> None:
    found = {"whisper_cpp": whisper, "pocketsphinx": sphinx}
    choice = choose(engine, language, order=ORDER, look=found.__getitem__, strict=strict)
    assert (choice.spec, choice.wait_reason) == (expected, wait)
    assert choice.low_accuracy == (expected is SPHINX)
    if expected is SPHINX and engine is None:
        assert choice.reasons == ("whisper_cpp: the model base-q8_0 is not here",)


@pytest.mark.parametrize(
    ("engine", "model", "language", "field"),
    [
        ("dragon", None, "auto", "engine"),
        (None, "huge", "auto", "model"),
        ("pocketsphinx", None, "de", "language"),
    ],
)
def test_what_can_never_work(engine: str | None, model: str | None, language: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        validate_request(engine, model, language)
    assert caught.value.field == field


def test_what_may_be_asked_for() -> None:
    validate_request(None, None, "auto")
    validate_request("auto", "base.en", "en")
    validate_request("whisper_cpp", "/srv/own.bin", "de", own_files=True)
    validate_request("stub", None, "de")


def test_an_engine_for_other_machines_neither_answers_nor_explains() -> None:
    elsewhere = Availability(None, "engine_elsewhere", "runs on Apple silicon only")
    found = {"mlx": elsewhere, "whisper_cpp": MISSING, "pocketsphinx": Availability(SPHINX)}
    order = ("mlx", *ORDER)
    waiting = choose(None, "de", order=order, look=found.__getitem__, strict=True)
    assert (waiting.spec, waiting.wait_reason) == (None, "model_missing")
    draft = choose(None, "en", order=order, look=found.__getitem__, strict=False)
    assert draft.reasons == ("whisper_cpp: the model base-q8_0 is not here",)
    named = choose("mlx", "en", order=order, look=found.__getitem__, strict=False)
    assert named.reasons == ("mlx: runs on Apple silicon only",)


def test_a_turbo_model_is_not_asked_to_translate() -> None:
    turbo = Availability(EngineSpec("whisper_cpp", "large-v3-turbo-q8_0", "/models/turbo.bin"))
    choice = choose(None, "de", order=("whisper_cpp",), look=lambda _: turbo, strict=False, translate=True)
    assert (choice.spec, choice.wait_reason) == (None, "translation_unsupported")
    assert choose(None, "de", order=("whisper_cpp",), look=lambda _: turbo, strict=False).spec is turbo.spec
    with pytest.raises(InvalidInputError) as caught:
        validate_request(None, "large-v3-turbo-q8_0", "de", translate=True)
    assert caught.value.field == "translate"
