"""Workspaces on the wire (docs/api.md, Workspaces)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.asr.types import Mode
from app.models.workspaces import Role
from app.schemas.common import KeptText, Line, ResponseModel, Text
from app.schemas.jobs import Language, Term

Name = Annotated[Line, Field(min_length=1, max_length=100)]
Days = Annotated[int, Field(ge=1, le=36500)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WorkspaceSettings(ResponseModel):
    """What holds for all jobs of a workspace."""

    allow_cloud: bool = Field(description="False: no recording leaves this server for a provider.")
    vocabulary: list[str] = Field(description="Names and terms to expect in every recording.")
    prompt: str = Field(description="A text in the style and spelling that is wanted.")
    language: str = Field(description="What a job takes that names no language.")
    mode: Mode = Field(description="What a job takes that names no mode.")
    media_days: int | None = Field(description="Days after which recordings go; null: never.")
    transcript_days: int | None = Field(description="Days after which jobs go with their text; null: never.")


class WorkspaceSettingsPatch(_Closed):
    """What is absent stays as it is; null takes a number of days away."""

    allow_cloud: bool = True
    vocabulary: list[Term] = Field([], max_length=200)
    prompt: Annotated[KeptText, Field(max_length=1000)] = ""
    language: Language = "auto"
    mode: Mode = Mode.MONO
    media_days: Days | None = None
    transcript_days: Days | None = None


class Workspace(ResponseModel):
    """A workspace as one of its members sees it."""

    id: UUID
    name: str
    role: Role
    members: int
    created_at: datetime


class WorkspaceName(_Closed):
    name: Name


class WorkspaceDelete(_Closed):
    """`name` repeats the name of the workspace."""

    name: Text


class Member(ResponseModel):
    user_id: UUID
    email: str
    name: str | None
    role: Role
    joined_at: datetime


class RolePatch(_Closed):
    role: Role


class Invite(_Closed):
    email: Text
    role: Role = Role.MEMBER


class Invitation(ResponseModel):
    id: UUID
    email: str
    role: Role
    expires_at: datetime
    created_at: datetime
    invited_by: UUID | None = Field(description="The member who made it; null once they have no account.")
    url: str | None = Field(None, description="Only where this server sends no mail: hand it over yourself.")


class InvitationToken(_Closed):
    token: Text


class InvitationWorkspace(BaseModel):
    name: str


class InvitationOffer(BaseModel):
    workspace: InvitationWorkspace
    email: str
    role: Role
    has_account: bool


class MinutesUsage(BaseModel):
    used: float
    reserved: float = Field(description="Set aside for jobs that wait or run.")
    limit: int | None


class BytesUsage(BaseModel):
    used: int
    limit: int | None


class ParallelUsage(BaseModel):
    running: int
    limit: int | None


class MembersUsage(BaseModel):
    count: int
    limit: int | None


class DayUsage(BaseModel):
    date: str
    minutes: float


class Usage(BaseModel):
    """Of one month in UTC; minutes are minutes of audio."""

    month: str
    minutes: MinutesUsage
    storage_bytes: BytesUsage
    parallel_jobs: ParallelUsage
    members: MembersUsage
    jobs: int
    by_day: list[DayUsage]


class Quotas(BaseModel):
    """Null: no limit."""

    minutes: int | None
    storage_bytes: int | None
    parallel_jobs: int | None
    members: int | None


class QuotasPatch(_Closed):
    """What is absent stays as it is; null takes a limit away."""

    minutes: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    storage_bytes: Annotated[int, Field(ge=0, le=2**62)] | None = None
    parallel_jobs: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    members: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class ManagedWorkspace(BaseModel):
    """A workspace as the server's administrator sees it: figures, never words."""

    id: UUID
    name: str
    owner_email: str | None
    members: int
    quotas: Quotas
    minutes_used: float
    storage_bytes: int
    created_at: datetime


class AuditUser(BaseModel):
    id: UUID
    email: str | None


class AuditEntry(BaseModel):
    """`action` is noun.verb, as share_link.created."""

    id: UUID
    action: str
    user: AuditUser | None
    api_key_id: UUID | None
    target_type: str | None
    target_id: str | None
    target_name: str | None = Field(
        description="The recording's name, of an entry about a transcript, a file or a link; null once it is deleted."
    )
    address: str
    created_at: datetime
    detail: dict[str, Any]


class Workspaces(BaseModel):
    items: list[Workspace]
    next_cursor: str | None = None


class Members(BaseModel):
    items: list[Member]
    next_cursor: str | None = None


class Invitations(BaseModel):
    items: list[Invitation]
    next_cursor: str | None = None


class ManagedWorkspaces(BaseModel):
    items: list[ManagedWorkspace]
    next_cursor: str | None


class AuditPage(BaseModel):
    items: list[AuditEntry]
    next_cursor: str | None
