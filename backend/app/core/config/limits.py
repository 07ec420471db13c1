"""How much one caller may ask of the server."""

from __future__ import annotations

from pydantic import Field

from app.core.config.base import Group


class LimitSettings(Group):
    """How much one caller may ask of the server."""

    rate_limits: str = Field(
        "auto", pattern="^(auto|on|off)$", description="on, off, or auto: off with ENV=local, else on."
    )
    rate_limit_submissions: str = Field(
        "10/minute", description="Jobs from one address. Several limits are separated by semicolons."
    )
    rate_limit_sign_in: str = Field(
        "10/minute", description="Sign-ins, registrations and resets from one address."
    )
    rate_limit_user: str = Field("1200/minute", description="Requests of one user.")
    rate_limit_key: str = Field("600/minute", description="Requests with one API key.")
    rate_limit_address: str = Field(
        "1800/minute", description="Requests from one address, whoever makes them."
    )
    redis_url: str = Field(
        "",
        description="Where several servers count together, as redis://host:6379/0. Empty: each counts for itself.",
    )
    read_header_seconds: float = Field(
        10, gt=0, description="A request whose headers are not whole after so long is cut off."
    )
    read_body_idle_seconds: float = Field(
        20, gt=0, description="A request body from which nothing comes for so long is cut off."
    )
    read_body_min_bytes_per_second: int = Field(
        1024,
        ge=0,
        description="A request body that is slower than this, averaged from its start, is cut off. 0: never.",
    )
