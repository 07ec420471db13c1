"""Where the server listens, how it is reached, and where rows live."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from app.core.addresses import is_loopback
from app.core.config.base import Group, absolute, http_address, split_commas


class Environment(StrEnum):
    """`local`: a laptop or home server, secrets make themselves. `prod`: refuses what is missing or weak."""

    LOCAL = "local"
    TEST = "test"
    PROD = "prod"


class ServerSettings(Group):
    """Where the server listens and how it is reached."""

    env: Environment = Field(
        Environment.LOCAL, description="local, test or prod. prod refuses missing or weak secrets."
    )
    host: str = Field(
        "127.0.0.1", description="Address to listen on. 0.0.0.0 opens the server to the network."
    )
    port: int = Field(8000, ge=1, le=65535, description="Port for API and pages.")
    public_url: str = Field(
        "",
        description="Address that people and signed URLs use, as https://transcribe.example.org. Empty: the request's own.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Other origins whose pages may call the API, separated by commas."
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="redis://[:password@]host:port/0, shared by servers and workers: rings up workers (EXECUTOR=celery), "
        "carries live updates, counts for rate limits. Empty: Postgres carries updates, and each server counts.",
    )
    data_dir: Path = Field(
        Path("data"), description="Folder for everything the server keeps: database, files, models, secrets."
    )
    shutdown_seconds: float = Field(
        20,
        gt=0,
        le=28,
        description="How long a stopping server lets running windows end before it hands their jobs back.",
    )
    log_format: str = Field(
        "auto",
        pattern="^(auto|json|console)$",
        description="auto (console on a terminal, else json), json, console.",
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR."
    )
    failpoints: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="For tests, with ENV=test only: moments at which the server kills itself, as finalize.before.",
    )

    _failpoints = field_validator("failpoints", mode="before")(split_commas)

    _cors_origins = field_validator("cors_origins", mode="before")(split_commas)

    _public_url = field_validator("public_url")(http_address)

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith(
            ("redis://", "rediss://", "unix://")
        ):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    _data_dir = field_validator("data_dir", mode="after")(absolute)

    @property
    def listens_on_loopback(self) -> bool:
        """True where only this machine can reach the server."""
        return is_loopback(self.host)


class DatabaseSettings(Group):
    """Where rows live."""

    database_url: str = Field(
        "", description="postgresql://user:password@host/name, or empty for SQLite in DATA_DIR."
    )

    @field_validator("database_url")
    @classmethod
    def _supported(cls, value: str) -> str:
        if value and not value.startswith(
            ("postgresql://", "postgresql+asyncpg://", "postgres://", "sqlite")
        ):
            raise ValueError("must begin with postgresql:// or sqlite:///")
        return value

    database_pool_size: int = Field(
        10, ge=1, le=200, description="Postgres connections that one process keeps."
    )
    database_statement_seconds: float = Field(
        5,
        ge=0,
        le=3600,
        description="Postgres gives up what takes longer in one workspace; the request gets 503. 0: never.",
    )
    database_slow_ms: int = Field(
        500, ge=0, description="Queries slower than this many milliseconds are logged. 0: none."
    )
