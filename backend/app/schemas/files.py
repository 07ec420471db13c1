"""Files on the wire (docs/api.md, Files). Sizes in bytes, durations in milliseconds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, PlainSerializer

from app.core.clock import to_json_time
from app.schemas.common import RequestModel, ResponseModel, Text

UtcTime = Annotated[datetime, PlainSerializer(to_json_time, return_type=str)]
RenditionWord = Literal["none", "pending", "ready", "failed"]
PartNumber = Annotated[int, Field(ge=1, le=99999)]


class PresignRequest(RequestModel):
    """What is going to be uploaded."""

    filename: Text = Field(max_length=65536, description="Display text only; any script.")
    size: int = Field(strict=True, ge=0, lt=2**63, description="Exact size in bytes.")
    content_type: str | None = Field(None, max_length=256)


class PresignResponse(ResponseModel):
    """`single`: PUT the whole file to `url`. `multipart`: ask for the addresses of the parts, in batches."""

    upload_id: UUID
    file_id: UUID = Field(description="The file's id once the upload is complete.")
    method: Literal["single", "multipart"]
    url: str | None = None
    headers: dict[str, str] = Field(description="Send these along with the single PUT.")
    part_size: int | None = Field(None, description="Length of every part but the last.")
    part_count: int | None = None
    expires_at: UtcTime = Field(description="End of `url`; of the whole upload where it is multipart.")


class PartsRequest(RequestModel):
    """Parts to send next. Numbers start at 1."""

    part_numbers: list[PartNumber] = Field(min_length=1, max_length=100)


class Part(ResponseModel):
    """`url` when it was asked for, `etag` when the part has arrived."""

    part_number: int
    url: str | None = None
    size: int
    etag: str | None = None


class Parts(ResponseModel):
    parts: list[Part]


class CompletedPart(RequestModel):
    part_number: PartNumber
    etag: str = Field(max_length=128)


class CompleteRequest(RequestModel):
    """`parts` may be left out; given, it has to match what arrived."""

    model_config = ConfigDict(strict=False)  # ids are text in JSON

    upload_id: UUID
    parts: list[CompletedPart] | None = Field(None, max_length=10000)


class File(ResponseModel):
    """A recording that is whole and never changes."""

    id: UUID
    filename: str
    size: int
    content_type: str
    sha256: str | None = None
    duration_ms: int | None = None
    created_at: UtcTime


class FileList(ResponseModel):
    """Newest first; `next_cursor` is null at the end."""

    items: list[File]
    next_cursor: str | None


class FileUrl(ResponseModel):
    """Where to play or save a file. Works without a token, in ranges, until `expires_at`; ask again then."""

    url: str
    expires_at: UtcTime
    content_type: str
    rendition: RenditionWord = Field(
        description="Whether there is a version that browsers can play: none (not needed), pending, ready, failed."
    )


class Peaks(ResponseModel):
    """Loudness over time as audiowaveform writes it: `data` holds `length` pairs of the lowest and the highest
    sample, -128 to 127, each of `samples_per_pixel` samples at `sample_rate`."""

    version: int
    channels: int
    sample_rate: int
    samples_per_pixel: int
    bits: int
    length: int
    data: list[int]
