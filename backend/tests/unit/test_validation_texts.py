"""A field that does not fit is told in a sentence: which, what is wrong with it, what would do."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from app.api.validation_texts import validation_text
from app.schemas.jobs import JobCreate, JobOptionsIn


def told(model: type[BaseModel], body: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    first = caught.value.errors()[0]
    return validation_text({**first, "loc": ("body", *first["loc"])})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"vocabulary": ["fine", "also fine", "x" * 70]},
            "Entry 3 of vocabulary may have at most 60 characters, not 70: shorten it.",
        ),
        ({"vocabulary": ["x"] * 101}, "vocabulary may have at most 100 entries, not 101: shorten it."),
        ({"vocabulary": [""]}, "Entry 1 of vocabulary may not be empty."),
        (
            {"language": "english"},
            "language must be a code as Whisper knows it, as en, de or yue; auto finds it out, mixed does so in "
            "every part.",
        ),
        (
            {"model": "Large V3"},
            "model must be the name of a model, as small or large-v3-turbo; `transcribe models list` shows them all.",
        ),
        ({"mode": "karaoke"}, "mode must be mono or dialogue."),
        ({"speakers": 33}, "speakers must be at most 32."),
        ({"speakers": "many"}, "speakers must be a whole number."),
        ({"speakers": True}, "speakers is a number of people, not true or false."),
        ({"speakers": 5, "max_speakers": 2}, "max_speakers is less than the number of speakers."),
        ({"translate": "perhaps"}, "translate must be true or false."),
        ({"prompt": "a\0b"}, "prompt holds a NUL character."),
        (
            {"surprise": 1},
            "surprise is no field of this request: look at how it is spelled, or leave it out.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_options_of_a_job(body: dict[str, Any], text: str) -> None:
    assert told(JobOptionsIn, body) == text


def test_what_is_wrong_with_the_whole_body() -> None:
    assert told(JobCreate, {}) == "Name either file_id or url."
    assert told(JobCreate, {"file_id": "7"}) == "file_id must be an id, as the API gives it."


def test_a_parameter_of_the_address_goes_by_its_name() -> None:
    error = {"type": "int_parsing", "loc": ("query", "limit"), "msg": "?", "input": "x"}
    assert validation_text(error) == "limit must be a whole number."


def test_kinds_without_a_sentence_keep_their_words() -> None:
    error = {"type": "url_scheme", "loc": ("body", "url"), "msg": "URL scheme should be 'http'", "input": ""}
    assert validation_text(error) == "url: URL scheme should be 'http'."
