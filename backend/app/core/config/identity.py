"""Accounts, passwords, tokens, sign-in providers, and mail."""

from __future__ import annotations

from pydantic import Field, SecretStr

from app.core.config.base import Group


class IdentitySettings(Group):
    """Accounts, passwords and tokens."""

    jwt_secret_key: SecretStr = Field(
        SecretStr(""),
        description="Key that signs tokens and URLs, 32 bytes or more. Empty: made once in DATA_DIR (never in prod).",
    )
    jwt_algorithm: str = Field("HS256", pattern="^HS(256|384|512)$", description="HS256, HS384 or HS512.")
    access_token_expire_minutes: int = Field(10, ge=1, le=60, description="Life of an access token.")
    refresh_token_expire_days: int = Field(
        30, ge=1, le=365, description="How long a sign-in lasts without use."
    )
    allow_registration: bool = Field(
        True, description="false: nobody can register; `transcribe admin create` still works."
    )
    password_min_length: int = Field(12, ge=8, le=128, description="Characters a new password must have.")
    email_verification: bool = Field(
        False,
        description="true: an account works once its address is verified, and registering never tells if one was known.",
    )
    lockout_failures: int = Field(
        10,
        ge=3,
        le=100,
        description="Failed sign-ins of one account from one address before it has to pause.",
    )
    totp_issuer: str = Field("Transcribe", description="Name that authenticator apps show beside the code.")


class MailSettings(Group):
    """Mail that the server sends. Without SMTP_HOST it is written into a folder, and the log says where."""

    smtp_host: str = Field("", description="Mail server. Empty: mails are files in DATA_DIR/mails.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port: 587 (STARTTLS), 465 (TLS) or 25.")
    smtp_username: str = Field("", description="Empty: no sign-in.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Goes with SMTP_USERNAME.")
    smtp_security: str = Field(
        "starttls", pattern="^(starttls|tls|none)$", description="starttls, tls, or none (on loopback only)."
    )
    mail_from: str = Field(
        "", description="Sender, as Transcribe <no-reply@example.org>. Empty: no-reply at PUBLIC_URL's host."
    )
