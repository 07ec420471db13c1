"""What all request and response models share."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from app.core.text import without_direction


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a character") from None
    return text


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" and not character.isspace() for character in text):
        raise ValueError("holds a control character")
    return " ".join(filter(None, map(without_direction, text.split())))


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies beyond the calendar") from None


# JSON can spell lone surrogates ("\ud800"), which neither UTF-8 nor a database can hold.
Text = Annotated[str, AfterValidator(_encodable)]
# Text that is kept or searched for as it came: Postgres cannot hold NUL either.
KeptText = Annotated[Text, AfterValidator(_without_nul)]
# A name or a term: breaks become blanks and marks of direction go, so that it stands in one line wherever it is
# written out, and turns nothing round there.
Line = Annotated[str, AfterValidator(_encodable), AfterValidator(_one_line)]

# A time of day with its zone. The last hours of the year 9999 in the west have no UTC.
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class RequestModel(BaseModel):
    """A body that clients send: unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ResponseModel(BaseModel):
    """A body that the server sends, read from rows and dataclasses alike."""

    model_config = ConfigDict(from_attributes=True)


class ErrorDetail(BaseModel):
    """`code` is stable, `message` a sentence for a person, `field` the path of the offending input."""

    code: str
    message: str
    field: str | None = None
    retry_after: int | None = None
    request_id: str


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorDetail
