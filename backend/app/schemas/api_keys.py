"""API keys on the wire (docs/api.md, API keys)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.models.api_keys import Scope
from app.schemas.common import Line, Moment


class ApiKeyCreate(BaseModel):
    """`scopes`: read, or read and write."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Line, Field(min_length=1, max_length=100)]
    scopes: list[Scope] = Field([Scope.READ, Scope.WRITE], min_length=1, max_length=4)
    expires_at: Moment | None = None


class KeyUser(BaseModel):
    id: UUID
    email: str
    name: str | None


class ApiKey(BaseModel):
    """`prefix` is how a key begins, by which people recognise it."""

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    user: KeyUser


class ApiKeyMade(ApiKey):
    key: str | None = Field(
        description="The key itself. Shown now and never again: null in an answer that is replayed."
    )


class ApiKeys(BaseModel):
    items: list[ApiKey]
    next_cursor: str | None = None
