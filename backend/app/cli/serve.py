"""`transcribe serve`: migrate, refuse a second server on the same data, serve API and pages on one port."""

from __future__ import annotations

import asyncio
import errno
import importlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from app.cli.patient_protocol import PatientProtocol
from app.cli.settings import load_settings
from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.core.garbage import pause_collection, resume_collection
from app.core.locks import AlreadyLockedError, lock_file
from app.db.away import DatabaseAwayError
from app.db.migrations import MigrationError, upgrade
from app.factory import check_settings

APPLICATION = "app.main:app"  # by name: commands stand below the application and do not import it


def migrate() -> None:
    """Bring the database to this version's schema, with a copy of a SQLite file kept before."""
    migrate_database(load_settings())


def serve() -> None:
    """Serve API and pages on HOST:PORT until SIGTERM or Ctrl-C."""
    settings = load_settings()
    pause_collection()  # until it has started: the application itself is still to be imported
    with _only_server(settings.server.data_dir):
        _check(settings)
        migrate_database(settings)
        server = _Server(
            uvicorn.Config(
                APPLICATION,
                host=settings.server.host,
                port=settings.server.port,
                log_config=None,
                http=PatientProtocol,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # TRUSTED_PROXIES counts them (app.api.edges.forwarded)
                date_header=True,
                ws_per_message_deflate=False,
                ws_max_size=64 * 1024,
                timeout_keep_alive=75,  # longer than proxies and clients keep an idle connection
                timeout_graceful_shutdown=5,
            )
        )
        # uvicorn raises the signal again after a clean stop, which would make it look like a crash.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        asyncio.run(server.announce_and_serve(settings))
        if not server.started:
            raise typer.Exit(1)


class _Server(uvicorn.Server):
    """Says where it is once the port is open."""

    settings: Settings

    async def announce_and_serve(self, settings: Settings) -> None:
        self.settings = settings
        await self.serve()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        resume_collection()
        if self.started:
            await self._announce()

    def _application(self) -> FastAPI:
        application: FastAPI = importlib.import_module(APPLICATION.partition(":")[0]).app
        return application

    async def _announce(self) -> None:
        container = self._application().state.container
        server = self.settings.server
        host = "127.0.0.1" if server.host in ("0.0.0.0", "::") else server.host  # noqa: S104 (compared, not bound)
        url = server.public_url or f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
        choice = await container.chooser.choose_for(None, None, "auto")
        if choice.spec is None:
            engine = f"none yet ({choice.wait_reason})"
        else:
            engine = choice.spec.engine + (f", model {choice.spec.model}" if choice.spec.model else "")
            engine += ", low accuracy" if choice.low_accuracy else ""
        print(f"Transcribe is ready: {url}", f"Engine: {engine}", sep="\n", flush=True)
        for reason in choice.reasons:
            print(f"  {reason}", flush=True)
        setup_token = await container.identity.registration.needed_setup_token()
        if setup_token is not None:
            print(f"Setup token for the first account: {setup_token}", flush=True)


def _check(settings: Settings) -> None:
    """Refuse in a sentence what could only fail later, before anything is made or opened."""
    host, port = settings.server.host, settings.server.port
    try:
        check_settings(settings)
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except socket.gaierror:
        typer.echo(f"HOST: {host} is not an address of this machine.", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        hint = (
            "Choose another PORT, or stop what listens there."
            if error.errno == errno.EADDRINUSE
            else "See HOST and PORT."
        )
        typer.echo(f"Cannot listen on {host}, port {port}: {os.strerror(error.errno or 0)}. {hint}", err=True)
        raise typer.Exit(2) from None


def migrate_database(settings: Settings) -> None:
    """Exits with 1 and a sentence where that cannot be done."""
    try:
        done = upgrade(settings.database_url, backups=settings.server.data_dir / "backups")
    except MigrationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except (SQLAlchemyError, DatabaseAwayError, OSError) as error:
        cause = getattr(error, "orig", None) or error.__cause__ or error
        reason = str(cause).splitlines()[0]
        typer.echo(f"DATABASE_URL: the database cannot be used ({reason}).", err=True)
        raise typer.Exit(1) from None
    if done.changed:
        kept = f"; the database before it is kept in {done.copy}" if done.copy else ""
        print(f"Database migrated from {done.before or 'nothing'} to {done.after}{kept}", flush=True)


@contextmanager
def _only_server(data_dir: Path) -> Iterator[None]:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        typer.echo(f"DATA_DIR {data_dir} cannot be used: {error.strerror}.", err=True)
        raise typer.Exit(2) from None
    try:
        with lock_file(data_dir / "server.lock", note=str(os.getpid())):
            yield
    except AlreadyLockedError as error:
        typer.echo(
            f"Another Transcribe server (process {error.note or 'unknown'}) is running on {data_dir}. "
            "Stop it first, or give this one its own DATA_DIR.",
            err=True,
        )
        sys.exit(1)
