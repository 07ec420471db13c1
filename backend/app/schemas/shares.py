"""Share links, grants and what guests see, on the wire (docs/api.md, Sharing)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.models import JobStatus, SpeakerState
from app.models.shares import Permission
from app.schemas.common import KeptText, Moment, ResponseModel
from app.schemas.jobs import Gap


def _not_blank(password: str) -> str:
    if not password.strip():
        raise ValueError("holds nothing but blanks")
    return password


SharePassword = Annotated[KeptText, Field(min_length=8, max_length=256), AfterValidator(_not_blank)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ShareCreate(_Closed):
    """Without a password whoever has the link is in; without an end it is good until revoked."""

    password: SharePassword | None = None
    expires_at: Moment | None = None
    allow_download: bool = False


class SharePatch(_Closed):
    """Only what is named changes. null takes the password or the end away; a new password locks everybody out."""

    password: SharePassword | None = None
    expires_at: Moment | None = None
    allow_download: bool = False


class ShareLink(ResponseModel):
    id: UUID
    job_id: UUID
    has_password: bool
    allow_download: bool
    expires_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")
    created_by: UUID | None


class ShareLinkMade(ShareLink):
    token: str | None = Field(
        description="The secret of the link. Shown now and never again: null in an answer that is replayed."
    )
    url: str | None = Field(description="The page to hand on; holds the token, so null where that is.")


class ShareLinks(BaseModel):
    items: list[ShareLink]
    next_cursor: str | None = None


class GrantPut(_Closed):
    email: Annotated[KeptText, Field(min_length=3, max_length=254)]
    permission: Permission


class Grant(ResponseModel):
    user_id: UUID
    email: str
    name: str | None
    permission: Permission
    created_at: datetime


class Grants(BaseModel):
    items: list[Grant]
    next_cursor: str | None = None


class SharedPage(ResponseModel):
    """What the page of a link begins with; title, length and status are null until it is unlocked."""

    title: str | None
    duration_ms: int | None
    status: JobStatus | None
    needs_password: bool
    unlocked: bool
    allow_download: bool
    created_at: datetime


class ShareUnlock(_Closed):
    password: Annotated[KeptText, Field(min_length=1, max_length=256)]


class SharedMedia(ResponseModel):
    """The sound alone, without tags or pictures, at a short-lived address."""

    url: str
    expires_at: datetime
    content_type: str


class SharedJob(BaseModel):
    """A job as guests see it."""

    id: UUID
    title: str
    permission: Permission
    status: JobStatus
    stage: str | None
    progress: float
    eta_seconds: int | None
    language: str
    mode: str
    translate: bool
    speaker_state: SpeakerState
    low_accuracy: bool
    gaps: list[Gap]
    duration_ms: int | None
    speech_ms: int | None
    covered_ms: int | None
    created_at: datetime
    finished_at: datetime | None


class SharedWorkspace(BaseModel):
    name: str


class SharedItem(BaseModel):
    """One line of what was shared with you."""

    job_id: UUID
    workspace: SharedWorkspace
    title: str
    permission: Permission
    duration_ms: int | None
    status: JobStatus
    created_at: datetime = Field(description="When it was shared.")


class SharedItems(BaseModel):
    """Newest first; `next_cursor` is null at the end."""

    items: list[SharedItem]
    next_cursor: str | None
