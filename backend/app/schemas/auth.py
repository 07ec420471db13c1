"""Bodies of /api/auth."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from app.models.workspaces import Role
from app.schemas.common import RequestModel, ResponseModel, Text


class RegisterRequest(RequestModel):
    """`setup_token`: for the first account of a server that others can reach; its log prints it."""

    email: Text
    password: Text
    name: Text | None = None
    setup_token: Text | None = None


class LoginRequest(RequestModel):
    email: Text
    password: Text


class PasswordChange(RequestModel):
    current_password: Text
    new_password: Text


class UserWorkspace(ResponseModel):
    """A workspace and what the user is in it."""

    id: UUID
    name: str
    role: Role


class UserMe(ResponseModel):
    """A user as they see themselves; their own workspace comes first."""

    id: UUID
    email: str
    name: str | None
    is_admin: bool
    workspaces: list[UserWorkspace]


class TokenResponse(ResponseModel):
    """`expires_in`: seconds until the access token ends; the refresh cookie then brings another."""

    access_token: str
    token_type: str = Field(examples=["bearer"])
    expires_in: int
    user: UserMe


class TicketResponse(ResponseModel):
    """`ticket`: for `?ticket=` of one WebSocket, once, within `expires_in` seconds."""

    ticket: str
    expires_in: int
