"""`transcribe models`: what there is, what is here, and how it gets here."""

from __future__ import annotations

import asyncio

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
from app.cli.settings import load_settings
from app.core.errors import AppError

app = typer.Typer(help="Speech models: list and download.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """All models of the catalogue, with their size and whether they are here."""
    settings = load_settings()
    table = Table("model", "size", "here", box=None, pad_edge=False)
    for entry in speech_models.catalogue():
        here = "yes" if speech_models.is_present(entry.name, settings.models_dir) else ""
        name = entry.name + (" (WHISPER_MODEL)" if entry.name == settings.speech.whisper_model else "")
        table.add_row(name, f"{entry.bytes / 1e6:,.0f} MB", here)
    Console().print(table)
    print(f"Folder: {settings.models_dir}")


@app.command("download")
def download(
    names: list[str] | None = typer.Argument(None, help="Models by name; WHISPER_MODEL where none is given."),
) -> None:
    """Fetch models from MODEL_BASE_URL: resumed where a download broke off, checked against the pinned SHA-256."""
    settings = load_settings()
    for name in names or [settings.speech.whisper_model]:
        if not speech_models.is_known(name):
            typer.echo(f"There is no model named {name}. `transcribe models list` shows them all.", err=True)
            raise typer.Exit(2)
        try:
            asyncio.run(_download(name))
        except AppError as error:
            typer.echo(error.message, err=True)
            raise typer.Exit(4) from None
        except KeyboardInterrupt:
            typer.echo("Interrupted; the next download goes on from here.", err=True)
            raise typer.Exit(130) from None
        print(f"{name} is in {settings.models_dir}")


async def _download(name: str) -> None:
    settings = load_settings()
    console = Console(stderr=True)
    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=None)
        await speech_models.download(
            name,
            settings.models_dir,
            settings.speech.model_base_url,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
