"""What all groups of settings share."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[4]


class Group(BaseSettings):
    """Settings of one kind; a field's name in lower case is its variable's name."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)


def absolute(value: object) -> object:
    """Relative paths stand from the project's root, whatever folder the process was started in."""
    return PROJECT_ROOT / str(value) if value else value


def split_commas(value: object) -> object:
    """A list as one writes it in a variable: "a, b"."""
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


def http_address(value: str) -> str:
    """An address without a slash at its end. Raises ValueError for anything but http and https."""
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return value.rstrip("/")
