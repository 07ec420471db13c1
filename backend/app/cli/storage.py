"""`transcribe storage`: whether the bucket is as it has to be, and all recordings from one store to the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated

import typer

from app.cli.settings import load_settings
from app.core.config import Settings
from app.core.errors import AppError, ConfigurationError
from app.core.locks import AlreadyLockedError, lock_file
from app.core.secrets import load_secret
from app.db.session import Database
from app.factory import build_local_store, build_s3_store
from app.services.media.moving import Ledger, Moved, ObjectMove
from app.storage.base import ObjectStore

USAGE, FAILED, INTERRUPTED = 2, 4, 130

app = typer.Typer(help="Where recordings live: check a bucket, move to it or back.", no_args_is_help=True)


class Place(StrEnum):
    """A kind of store."""

    S3 = "s3"
    LOCAL = "local"


@app.command("check")
def check(
    fix: Annotated[bool, typer.Option("--fix", help="Set the missing CORS rule.")] = False,
) -> None:
    """Look at the bucket of S3_BUCKET: rights, signed lengths, multipart, CORS, clock. Exit code 4: it cannot serve."""
    settings = load_settings()
    _exit(_run(lambda: _check(settings, fix=fix)))


@app.command("move")
def move(
    to: Annotated[Place, typer.Option("--to", help="Where everything goes.")],
    delete_source: Annotated[
        bool, typer.Option("--delete-source", help="Delete each object at its old place once it is verified.")
    ] = False,
) -> None:
    """Copy everything that the database names to the other store, verified by size and SHA-256.

    It may run beside the server and be interrupted; the next run goes on. Then stop the server, run it once more
    for what came in meanwhile, set STORAGE_BACKEND and start. Delete the source after that.
    """
    settings = load_settings()
    if delete_source and settings.storage.storage_backend != to:
        typer.echo(
            f"The server still reads from the other store: set STORAGE_BACKEND={to} before you delete the source.",
            err=True,
        )
        raise typer.Exit(USAGE)
    _exit(_run(lambda: _move(settings, to, delete_source=delete_source)))


async def _check(settings: Settings, *, fix: bool) -> int:
    from app.storage.s3.check import check_bucket  # boto3 is loaded where a bucket is asked for only

    worst = 0
    origins = [settings.page_url, *settings.server.cors_origins]
    async for finding in check_bucket(build_s3_store(settings).bucket, origins, fix=fix):
        print(f"{'note' if finding.advice else 'ok' if finding.ok else 'NO'}: {finding.text}")
        if finding.repair:
            print("    " + finding.repair.replace("\n", "\n    "))
        worst = worst if finding.ok else FAILED
    return worst


async def _move(settings: Settings, to: Place, *, delete_source: bool) -> int:
    source: ObjectStore = build_local_store(settings, load_secret(settings))
    target: ObjectStore = build_s3_store(settings)
    if to is Place.LOCAL:
        source, target = target, source
    folder = settings.server.data_dir
    database = Database(settings.database_url, pool_size=2, slow_ms=settings.database.database_slow_ms)
    try:
        with lock_file(folder / "storage-move.lock"):
            ledger = Ledger(folder / f"storage-move-to-{to}.txt")
            live = settings.storage.storage_backend == to
            work = ObjectMove(database, source, target, ledger, target_is_live=live)
            moved = await work.run(delete_source=delete_source, told=lambda line: typer.echo(line, err=True))
    except AlreadyLockedError:
        typer.echo("Another `transcribe storage move` is running.", err=True)
        return FAILED
    finally:
        await database.close()
    _tell(moved, to)
    return FAILED if moved.failed else 0


def _tell(moved: Moved, to: Place) -> None:
    print(f"{moved.copied} copied ({moved.bytes / 1e6:,.1f} MB), {moved.kept} were there already.")
    if moved.deleted:
        print(f"{moved.deleted} deleted at their old place.")
    for key in moved.missing:
        print(f"missing in the source: {key}")
    if moved.failed:
        typer.echo(f"{len(moved.failed)} could not be moved; run this again.", err=True)
    else:
        print(f"Everything is verified in the store {to}.")


def _run(work: Callable[[], Awaitable[int]]) -> int:
    async def run() -> int:
        return await work()

    try:
        return asyncio.run(run())
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        return USAGE
    except AppError as error:
        typer.echo(str(error), err=True)
        return FAILED
    except KeyboardInterrupt:
        typer.echo("Interrupted; the next run goes on from here.", err=True)
        return INTERRUPTED


def _exit(code: int) -> None:
    if code:
        raise typer.Exit(code)
