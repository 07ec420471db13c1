"""What all request and response models share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a character") from None
    return text


# JSON can spell lone surrogates ("\ud800"), which neither UTF-8 nor a database can hold.
Text = Annotated[str, AfterValidator(_encodable)]


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
