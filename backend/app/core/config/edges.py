"""Who may reach the server, by what name, and how often."""

from __future__ import annotations

import re
from typing import Annotated

from limits import parse_many
from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from app.core.config.base import Group, split_commas

_HOST = re.compile(
    r"\*|(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE
)


class EdgeSettings(Group):
    """Who may reach the server, by what name, and how often."""

    trusted_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="Proxies of yours in front of the server, each of which adds to X-Forwarded-For. 0: that header is "
        "ignored.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names that requests may ask for beside PUBLIC_URL's, separated by commas, *.example.org with all "
        "below it, * for any. Empty: PUBLIC_URL's only; without PUBLIC_URL any, on loopback only localhost.",
    )
    rate_limit_enabled: str = Field(
        "auto",
        pattern="^(auto|on|off)$",
        description="on, off, or auto: off with ENV=local, else on.",
    )
    rate_limit_submissions: str = Field(
        "10/minute",
        description="Jobs that one address may submit, as 10/minute;100/day. Empty: any number. IPv6 counts by /64.",
    )
    rate_limit_submissions_user: str = Field(
        "20/minute", description="Jobs that one account may submit, from all addresses together."
    )
    rate_limit_submissions_key: str = Field("20/minute", description="Jobs that one API key may submit.")
    rate_limit_uploads: str = Field(
        "20/minute", description="Uploads that one address, one account or one API key may announce."
    )
    rate_limit_auth: str = Field(
        "10/minute",
        description="Sign-ins, registrations, mailed tokens and changes of passwords from one address.",
    )
    rate_limit_unlock: str = Field(
        "10/minute", description="Passwords of share links tried from one address."
    )
    rate_limit_requests: str = Field(
        "6000/minute",
        description="Requests of all kinds from one address; signed addresses of the store do not count.",
    )
    rate_limit_sockets: int = Field(
        20,
        ge=0,
        le=100_000,
        description="WebSockets that one account may hold open at each server. 0: any number.",
    )
    rate_limit_socket_messages: str = Field(
        "100/minute",
        description="Messages that one account may send over its WebSockets, to each server. They mean nothing to it.",
    )

    _allowed_hosts = field_validator("allowed_hosts", mode="before")(split_commas)

    @field_validator("allowed_hosts")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _HOST.fullmatch(name):
                raise ValueError(f"{name} is not a host name (without scheme and port)")
        return tuple(name.lower() for name in value)

    @field_validator(
        "rate_limit_submissions",
        "rate_limit_submissions_user",
        "rate_limit_submissions_key",
        "rate_limit_uploads",
        "rate_limit_auth",
        "rate_limit_unlock",
        "rate_limit_requests",
        "rate_limit_socket_messages",
    )
    @classmethod
    def _rates(cls, value: str) -> str:
        if value:
            parse_many(value)  # raises ValueError in a sentence
        return value
