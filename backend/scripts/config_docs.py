"""Writes .env.example and docs/deployment/config.md from the settings classes; `--check` only compares.

A test does the same comparison, so that a setting without its documentation does not get in.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app.core.config import GROUPS, PROJECT_ROOT

EXAMPLE = PROJECT_ROOT / ".env.example"
PAGE = PROJECT_ROOT / "docs" / "deployment" / "config.md"


def default_text(field: FieldInfo) -> str:
    """A default as one writes it in the environment; empty where there is none."""
    value: Any = field.get_default()
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def example() -> str:
    """The text of .env.example: every variable, commented out, with its default."""
    lines = [
        "# Settings of Transcribe. Copy this file to .env and take away the # of what you change;",
        "# variables of the environment come before the file. Written by `make config-docs`.",
    ]
    for name, group in GROUPS.items():
        lines += ["", f"# --- {name.capitalize()}: {summary(group)}"]
        for key, field in group.model_fields.items():
            lines += [f"# {field.description}", f"#{key.upper()}={default_text(field)}", ""]
        lines.pop()
    return "\n".join(lines) + "\n"


def page() -> str:
    """The text of docs/deployment/config.md: one table a group."""
    lines = [
        "# Settings",
        "",
        "Every setting is an environment variable. `.env` beside the Makefile is read too; the environment comes",
        "first. An empty value counts as unset. Relative paths stand from the project's root. This page and",
        "`.env.example` are written by `make config-docs` from `backend/app/core/config/`; a test holds them equal.",
        "",
        "A value that does not fit stops the start with the variable's name and the reason. With `ENV=prod` a",
        "missing or weak `JWT_SECRET_KEY` does so too; make one with `openssl rand -base64 48`.",
    ]
    for name, group in GROUPS.items():
        lines += [
            "",
            f"## {name.capitalize()}",
            "",
            summary(group),
            "",
            "| variable | default | meaning |",
            "|---|---|---|",
        ]
        for key, field in group.model_fields.items():
            default = default_text(field)
            shown = f"`{default}`" if default else "(empty)"
            description = (field.description or "").replace("|", "\\|")
            lines.append(f"| `{key.upper()}` | {shown} | {description} |")
    return "\n".join(lines) + "\n"


def summary(group: type) -> str:
    """First line of a group's docstring."""
    return (group.__doc__ or "").strip().splitlines()[0]


def stale() -> list[Path]:
    """Files that differ from the settings."""
    wanted = {EXAMPLE: example(), PAGE: page()}
    return [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]


def main(arguments: list[str]) -> int:
    """Write or check; answers the exit status."""
    different = stale()
    names = ", ".join(str(path.relative_to(PROJECT_ROOT)) for path in different)
    if "--check" in arguments:
        if different:
            print(f"Not current: {names}. Run `make config-docs` and commit the result.", file=sys.stderr)
        return 1 if different else 0
    for path in different:
        path.write_text(example() if path == EXAMPLE else page(), "utf-8")
    print(f"Written: {names}" if different else "Both files are current.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
