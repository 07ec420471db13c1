"""`transcribe models`: what there is, what is here, how it gets here, whether it is sound, and away with it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from app.asr import models as speech_models
from app.asr.models import CatalogueEntry, FileState
from app.cli.settings import load_settings
from app.core.clock import to_json_time
from app.core.config import Settings
from app.core.errors import AppError, ConflictError, JobError, NotFoundError

SPEAKERS = "speakers"  # stands for DIARIZATION_MODEL
INPUT, ENGINE, INTERRUPTED = 3, 4, 130
_WIDE = 140  # columns of a table in a pipe: names are never cut

app = typer.Typer(
    help="Speech models: list, download, verify and remove. Of each size, take the one marked recommended: q8_0 is "
    "as fast as the full form and half its size.",
    no_args_is_help=True,
)
Names = Annotated[list[str] | None, typer.Argument(help="Models by name.", show_default=False)]


@app.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """All models of the catalogue, and what is here of them."""
    settings = load_settings()
    rows = [_row(entry, settings) for entry in speech_models.catalogue()]
    if as_json:
        print(json.dumps({"folder": str(settings.models_dir), "models": rows}, indent=2))
        return
    table = Table("model", "for", "size", "recommended", "here", "verified", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            row["name"] + (" (default)" if row["default"] else ""),
            row["kind"],
            f"{row['bytes'] / 1e6:,.0f} MB",
            "yes" if row["recommended"] else "",
            {FileState.ABSENT: "", FileState.PRESENT: "yes"}.get(row["state"], row["state"]),
            (row["verified_at"] or "")[:10],
        )
    console = Console()
    (console if console.is_terminal else Console(width=_WIDE)).print(table)
    print(f"Folder: {settings.models_dir}")


@app.command("download")
def download(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Models by name, or '{SPEAKERS}' for DIARIZATION_MODEL; WHISPER_MODEL where none is given.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Fetch models from MODEL_BASE_URL: resumed where a download broke off, checked against the pinned SHA-256.

    Models of voices come from their own homes (huggingface.co, github.com) unless MODEL_BASE_URL names a mirror.
    """
    settings = load_settings()
    for entry in _entries(names or [settings.speech.whisper_model], settings):
        try:
            path = asyncio.run(_download(entry.name, settings))
        except AppError as error:
            typer.echo(error.message, err=True)
            raise typer.Exit(ENGINE) from None
        except KeyboardInterrupt:
            typer.echo("Interrupted; the next download goes on from here.", err=True)
            raise typer.Exit(INTERRUPTED) from None
        print(f"{entry.name} is in {path.parent}")


@app.command("verify")
def verify(names: Names = None) -> None:
    """Count the SHA-256 of models that are here again, of all where none is named. Exit code 4: one is not sound."""
    settings = load_settings()
    chosen = _entries(names, settings) if names else _present(settings)
    worst = 0
    for entry in chosen:
        try:
            speech_models.check_again(entry, settings.models_dir)
        except NotFoundError as error:
            worst = max(worst, INPUT)
            typer.echo(error.message, err=True)
        except JobError as error:
            worst = ENGINE
            typer.echo(error.message, err=True)
        else:
            print(f"{entry.name}: sound")
    if not chosen:
        print(f"No model is in {settings.models_dir}.")
    raise typer.Exit(worst)


@app.command("remove")
def remove(
    names: Annotated[list[str], typer.Argument(help="Models by name.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove models, and what broken downloads left of them. Refused while a process has one loaded."""
    settings = load_settings()
    chosen = _entries(names, settings)
    if not yes and not _confirmed(chosen, settings.models_dir):
        raise typer.Exit(2)
    worst = 0
    for entry in chosen:
        try:
            gone = speech_models.remove(entry, settings.models_dir)
        except ConflictError as error:
            worst = ENGINE
            typer.echo(error.message, err=True)
            continue
        if gone:
            print(f"{entry.name} is removed")
        else:
            worst = max(worst, INPUT)
            typer.echo(f"The model {entry.name} is not in {settings.models_dir}.", err=True)
    raise typer.Exit(worst)


def _confirmed(entries: list[CatalogueEntry], folder: Path) -> bool:
    if not sys.stdin.isatty():
        typer.echo("Nobody can be asked here: repeat this with --yes.", err=True)
        return False
    return typer.confirm(f"Remove {', '.join(entry.name for entry in entries)} from {folder}?")


def _entries(names: list[str], settings: Settings) -> list[CatalogueEntry]:
    """Exits with 2 for a name that the catalogue does not have."""
    wanted = [settings.speech.diarization_model if asked == SPEAKERS else asked for asked in names]
    found = []
    for name in wanted:
        entry = speech_models.find(name)
        if entry is None:
            what = "a file of your own" if speech_models.is_path(name) else "not in the catalogue"
            typer.echo(f"{name} is {what}. `transcribe models list` shows all models by name.", err=True)
            raise typer.Exit(2)
        found.append(entry)
    return found


def _present(settings: Settings) -> list[CatalogueEntry]:
    return [e for e in speech_models.catalogue() if (settings.models_dir / e.file).is_file()]


def _row(entry: CatalogueEntry, settings: Settings) -> dict[str, Any]:
    status = speech_models.inspect(entry, settings.models_dir)
    return {
        "name": entry.name,
        "kind": entry.kind,
        "file": entry.file,
        "url": entry.url(settings.speech.model_base_url),
        "bytes": entry.bytes,
        "sha256": entry.sha256,
        "licence": entry.licence,
        "recommended": entry.recommended,
        "default": entry.name in (settings.speech.whisper_model, settings.speech.diarization_model),
        "state": status.state,
        "received_bytes": status.received,
        "verified_at": to_json_time(status.verified_at) if status.verified_at is not None else None,
        "in_use": status.held,
    }


async def _download(name: str, settings: Settings) -> Path:
    console = Console(stderr=True)
    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=None)
        return await speech_models.download(
            name,
            settings.models_dir,
            settings.speech.model_base_url,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
