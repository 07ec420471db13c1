"""What is wrong with a field of a request, as a sentence for whoever filled it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_PLACES = ("body", "query", "header", "cookie", "path")

# What a form takes that is checked by a pattern, by the field's name.
_FORMS = {
    "language": "must be a code as Whisper knows it, as en, de or yue; auto finds it out, mixed does so in every part",
    "model": "must be the name of a model, as small or large-v3-turbo; `transcribe models list` shows them all",
}


def validation_text(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors as a sentence that names the field, what is wrong and what would do.

    Kinds that are not in the table keep pydantic's words.
    """
    subject = _subject(error["loc"])
    made = _TEXTS.get(error["type"])
    if made is None:
        return f"{subject}: {error['msg']}."
    says = made(error)
    if error["type"] == "value_error" and subject == "The body":
        return f"{says[:1].upper()}{says[1:]}."
    return f"{subject} {says}."


def _subject(location: Sequence[int | str]) -> str:
    """`vocabulary`, or `Entry 3 of vocabulary`: people count from 1."""
    names = [str(part) for part in location]
    if names[:1] and names[0] in _PLACES:
        del names[0]
    if not names:
        return "The body"
    if len(names) > 1 and names[-1].isdigit():
        return f"Entry {int(names[-1]) + 1} of {'.'.join(names[:-1])}"
    return ".".join(names)


def _too_long(error: Mapping[str, Any]) -> str:
    limit, given = error["ctx"]["max_length"], error.get("input")
    has = len(given) if isinstance(given, (str, list, tuple)) else None
    what = _unit(given, limit)
    return f"may have at most {limit} {what}" + (f", not {has}: shorten it" if has is not None else "")


def _too_short(error: Mapping[str, Any]) -> str:
    limit, given = error["ctx"]["min_length"], error.get("input")
    return "may not be empty" if limit == 1 else f"needs at least {limit} {_unit(given, limit)}"


def _unit(given: object, number: int) -> str:
    if isinstance(given, str):
        return "character" if number == 1 else "characters"
    return "entry" if number == 1 else "entries"


def _form(error: Mapping[str, Any]) -> str:
    return _FORMS.get(str(error["loc"][-1]), "is not written as it has to be")


def _one_of(error: Mapping[str, Any]) -> str:
    return f"must be {error['ctx']['expected'].replace(chr(39), '')}"


def _own(error: Mapping[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def _says(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _: text


def _bound(text: str, key: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda error: f"{text} {error['ctx'][key]}"


_NUMBER, _WHOLE = _says("must be a number"), _says("must be a whole number")
_FLAG, _TEXT, _ID = (
    _says("must be true or false"),
    _says("must be a text"),
    _says("must be an id, as the API gives it"),
)
_MOMENT = _says("must be a moment with its zone, as 2026-01-31T12:00:00Z")
_OBJECT = _says("must be an object with fields")

_TEXTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": _says("is missing"),
    "extra_forbidden": _says("is no field of this request: look at how it is spelled, or leave it out"),
    "string_too_long": _too_long,
    "too_long": _too_long,
    "string_too_short": _too_short,
    "too_short": _too_short,
    "string_pattern_mismatch": _form,
    "enum": _one_of,
    "literal_error": _one_of,
    "greater_than": _bound("must be more than", "gt"),
    "greater_than_equal": _bound("must be at least", "ge"),
    "less_than": _bound("must be less than", "lt"),
    "less_than_equal": _bound("must be at most", "le"),
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "bool_parsing": _FLAG,
    "bool_type": _FLAG,
    "string_type": _TEXT,
    "uuid_parsing": _ID,
    "uuid_type": _ID,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_type": _MOMENT,
    "timezone_aware": _MOMENT,
    "list_type": _says("must be a list"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "value_error": _own,
}
