"""Workspaces on the wire (docs/api.md, Workspaces)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.common import KeptText
from app.schemas.jobs import Term


class WorkspaceSettings(BaseModel):
    """What holds for all jobs of a workspace."""

    model_config = ConfigDict(from_attributes=True)

    allow_cloud: bool = Field(description="False: no recording leaves this server for a provider.")
    vocabulary: list[str] = Field(description="Names and terms to expect in every recording.")
    prompt: str = Field(description="A text in the style and spelling that is wanted.")


class WorkspaceSettingsPatch(BaseModel):
    """What is absent stays as it is."""

    model_config = ConfigDict(extra="forbid")

    allow_cloud: bool | None = None
    vocabulary: list[Term] | None = Field(None, max_length=200)
    prompt: KeptText | None = Field(None, max_length=1000)
