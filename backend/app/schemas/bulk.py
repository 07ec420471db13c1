"""Acting on many jobs at once (docs/api.md, Many jobs at once)."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.models import JobStatus
from app.schemas.common import KeptText, Moment, Text

MAX_BULK = 500


class BulkFilter(BaseModel):
    """Which jobs, as in the list."""

    model_config = ConfigDict(extra="forbid")

    status: list[JobStatus] = Field([], max_length=len(JobStatus), description="Nothing: every status.")
    q: KeptText | None = Field(None, max_length=200, description="Part of a file name.")
    created_before: Moment | None = Field(None, description="Leaves out what has come since.")


class BulkRequest(BaseModel):
    """What to do, and with which jobs: named one by one, or all that a filter finds."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["cancel", "retry", "delete"] = Field(
        description="retry begins failed and cancelled jobs again and tries waiting ones at once."
    )
    ids: (
        Annotated[
            list[Annotated[Text, Field(max_length=200)]],
            Field(
                min_length=1,
                max_length=MAX_BULK,
                description="Unknown and malformed ones are answered as not found, and hold up none of the others.",
            ),
        ]
        | None
    ) = None
    filter: BulkFilter | None = None
    limit: int = Field(100, ge=1, le=MAX_BULK, description="With a filter: how many in this request.")
    cursor: str | None = Field(
        None, max_length=200, description="With a filter: next_cursor of the answer before."
    )

    @model_validator(mode="after")
    def _one_choice(self) -> BulkRequest:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("name either ids or a filter")
        return self


def job_id_of(text: str) -> UUID | str:
    """As it came where no job can have it."""
    try:
        return UUID(text)
    except ValueError:
        return text


class BulkItem(BaseModel):
    """What became of one job."""

    id: str
    filename: str | None = Field(description="Null where the workspace has no such job.")
    outcome: Literal["done", "refused"]
    code: str | None = Field(None, description="Of what was refused: as the errors of a single job.")
    message: str | None = None


class BulkAnswer(BaseModel):
    """One item for each job; with a filter, `next_cursor` until all were looked at."""

    items: list[BulkItem]
    next_cursor: str | None


class JobCount(BaseModel):
    """How many jobs a list has; `more` where it was not counted to the end."""

    count: int
    more: bool
