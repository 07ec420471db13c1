"""`transcribe`: the command line. A first word that is no command is a file: `transcribe talk.mp3`."""

from __future__ import annotations

import sys

import typer

from app import __version__
from app.cli import admin, models, run, serve, storage, watch, worker

app = typer.Typer(
    name="transcribe",
    help="Audio and video into text that people can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command("run")(run.run)
app.command("watch")(watch.watch)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("migrate")(serve.migrate)
app.add_typer(models.app, name="models")
app.add_typer(admin.app, name="admin")
app.add_typer(storage.app, name="storage")

COMMANDS = frozenset({"run", "watch", "serve", "worker", "migrate", "models", "admin", "storage"})


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def with_command(arguments: list[str]) -> list[str]:
    """The arguments with `run` put in front where the first of them is a file or an option of `run`."""
    first = next((a for a in arguments if not a.startswith("-")), None)
    if first is None or first in COMMANDS:
        return arguments
    return ["run", *arguments]


def main() -> None:
    """Entry point. Exit codes: 0 done, 2 usage, 3 input, 4 engine, 130 interrupted."""
    app(args=with_command(sys.argv[1:]))
