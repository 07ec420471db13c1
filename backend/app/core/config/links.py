"""Recordings that are fetched from the web."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from app.core.config.base import Group, absolute, split_commas


class LinkSettings(Group):
    """Recordings that are fetched from the web."""

    url_ingestion: str = Field(
        "auto",
        pattern="^(auto|on|off)$",
        description="on: jobs may name a link instead of a file. off: they may not, nor may `transcribe run`. auto: on "
        "with ENV=local and on the command line, else off.",
    )
    url_allowlist: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Only these sites, by host name, with all below them, separated by commas. Empty: any public address.",
    )
    url_blocklist: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Never these sites, by host name, with all below them."
    )
    url_max_seconds: float = Field(
        1800, gt=0, description="How long fetching one recording may take before it is broken off."
    )
    url_min_bytes_per_second: int = Field(
        1024, ge=0, description="A fetch that is slower than this for half a minute is broken off. 0: never."
    )
    url_playlist_limit: int = Field(
        50,
        ge=1,
        le=1000,
        description="Most entries of a playlist that become jobs, where a playlist is asked for.",
    )
    url_parallel: int = Field(2, ge=1, le=32, description="Recordings that are fetched at a time.")
    url_cookie_file: Path | None = Field(
        None,
        description="A file of cookies in Netscape's format that fetching uses for all users. Empty: none.",
    )
    url_proxy: str = Field(
        "",
        description="Proxy through which everything is fetched, as http://proxy:3128 or socks5h://... Empty: none. "
        "It then has to keep private addresses away by itself, too.",
    )

    _lists = field_validator("url_allowlist", "url_blocklist", mode="before")(split_commas)
    _url_cookie_file = field_validator("url_cookie_file", mode="after")(absolute)
