"""Bodies of /api/auth."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from app.models.workspaces import Role
from app.schemas.common import RequestModel, ResponseModel, Text


class RegisterRequest(RequestModel):
    """`setup_token`: for the first account of a server that others can reach; its log prints it."""

    email: Text
    password: Text
    name: Text | None = None
    setup_token: Text | None = None
    invitation_token: Text | None = None


class LoginRequest(RequestModel):
    """`code`: of the authenticator app, or a backup code, for who has a second factor."""

    email: Text
    password: Text
    code: Text | None = None


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
    email_verified: bool
    has_password: bool = Field(description="False for who signs in through a provider only.")
    totp_enabled: bool
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


class VerificationRequired(BaseModel):
    """Registered, or not, for all that is told: the mail knows."""

    status: str = "verification_required"


class Sent(BaseModel):
    """The same whether there is an account or not."""

    status: str = "sent"


class EmailOnly(RequestModel):
    email: Text


class TokenOnly(RequestModel):
    token: Text


class PasswordReset(RequestModel):
    token: Text
    new_password: Text


class NamePatch(RequestModel):
    name: Text


class PasswordOnly(RequestModel):
    password: Text


class CodeOnly(RequestModel):
    code: Text


class PasswordAndCode(RequestModel):
    password: Text
    code: Text


class AccountDelete(RequestModel):
    """`code` for who has a second factor."""

    password: Text
    code: Text | None = None


class FactorState(ResponseModel):
    enabled: bool
    backup_codes_left: int


class FactorSetup(ResponseModel):
    """`otpauth_url`: what a QR code shows."""

    secret: str
    otpauth_url: str


class BackupCodes(BaseModel):
    """Shown now and never again; each is good once."""

    backup_codes: list[str]


class OpenSession(ResponseModel):
    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    user_agent: str
    address: str
    current: bool


class ProviderPage(BaseModel):
    """`url`: the provider's page, for the browser to go to."""

    url: str


class LinkedIdentity(ResponseModel):
    """An account at a provider that signs in to this one. `email`: as it was when it was linked, or empty."""

    id: str
    issuer: str
    email: str
    created_at: datetime


class LinkedIdentities(BaseModel):
    items: list[LinkedIdentity]
    next_cursor: str | None = None


class OpenSessions(BaseModel):
    items: list[OpenSession]
    next_cursor: str | None = None
