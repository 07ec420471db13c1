"""Settings for commands: a mistake in the environment is a usage error with the variable's name, not a traceback."""

from __future__ import annotations

import re

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.core.config import Settings

_SECRET = frozenset(
    {"DATABASE_URL", "REDIS_URL", "JWT_SECRET_KEY"}
)  # never shown, not even when they are wrong


def load_settings() -> Settings:
    """Exits with 2 and a line for each variable that cannot be used."""
    try:
        return Settings.load()
    except ValidationError as error:
        for problem in error.errors():
            name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
            got = "" if name in _SECRET else f" (got {problem.get('input')!r})"
            typer.echo(f"{name}: {_sentence(problem)}{got}", err=True)
        typer.echo("See docs/deployment/config.md for what each variable takes.", err=True)
        raise typer.Exit(2) from None


def _sentence(problem: ErrorDetails) -> str:
    """What is wrong, without the library's own words."""
    choices = re.fullmatch(r"\^\(([\w|]+)\)\$", str(problem.get("ctx", {}).get("pattern", "")))
    if choices is not None:
        return f"must be one of {', '.join(choices[1].split('|'))}"
    return problem["msg"].removeprefix("Value error, ")
