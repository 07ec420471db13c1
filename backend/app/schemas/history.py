"""A job's history on the wire (docs/api.md, History of a job)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.models import HistoryKind


class HistoryPerson(BaseModel):
    """Who asked; without a name and address once they have left the workspace."""

    id: UUID
    name: str | None
    email: str | None


class HistoryItem(BaseModel):
    """One thing that happened. Which of the fields from `source` on are there depends on the kind."""

    id: UUID
    kind: HistoryKind
    at: datetime
    attempt: int = Field(description="The job's attempt at that time, from 1.")
    by: HistoryPerson | None = Field(None, description="Of what a person asked for.")
    by_api_key: bool = Field(False, description="They asked with an API key.")
    source: Literal["file", "link", "playlist"] | None = Field(None, description="created")
    title: str | None = Field(None, description="recording_fetched: what the site calls it.")
    site: str | None = Field(None, description="recording_fetched")
    engine: str | None = Field(None, description="engine_chosen; retried: the one asked for.")
    model: str | None = Field(None, description="engine_chosen; retried: the one asked for.")
    reasons: list[str] | None = Field(
        None, description="engine_chosen: why this one, and what spoke against others."
    )
    stage: str | None = Field(None, description="stage")
    reason: str | None = Field(None, description="waiting: a wait_reason, as of the job.")
    run_after: datetime | None = Field(
        None, description="waiting, retry_scheduled, host_lost: not tried before this."
    )
    window: int | None = Field(
        None, description="window_repeated, engine_crashed, failed: its number, from 0."
    )
    count: int | None = Field(
        None,
        description="window_repeated: which time it is; engine_crashed, retry_scheduled, host_lost: how many so far.",
    )
    code: str | None = Field(None, description="waiting, retry_scheduled, failed: the error's code.")
    message: str | None = Field(
        None, description="waiting, retry_scheduled, failed: the error in a sentence."
    )
    advice: str | None = Field(None, description="failed: what a person can do.")
    log_tail: str | None = Field(None, description="failed: the last that the engine wrote.")
    what: Literal["all", "gaps", "speakers"] | None = Field(None, description="retried")
    cached: bool | None = Field(None, description="completed: with the stored text of the same bytes.")
    formats: list[str] | None = Field(None, description="files_written")


class JobTries(BaseModel):
    """How often what went wrong, as it counts towards giving the job up; a retry by a person begins anew."""

    attempt: int
    engine_errors: int
    engine_crashes: int
    host_losses: int


class HistoryPage(BaseModel):
    """Newest first; `next_cursor` is null at the end."""

    items: list[HistoryItem]
    next_cursor: str | None
    tries: JobTries
