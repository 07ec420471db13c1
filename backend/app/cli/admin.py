"""`transcribe admin`: accounts, on the server itself."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable

import typer

from app.cli.settings import load_settings
from app.core.errors import AppError
from app.db.migrations import MigrationError, upgrade
from app.factory import Container, build_container

app = typer.Typer(help="Accounts, on the server itself.", no_args_is_help=True)


@app.command("create")
def create(
    email: str,
    name: str = typer.Option("", help="Name that others see."),
    password: str | None = typer.Option(None, help="Asked for, or read from a pipe, where it is not given."),
) -> None:
    """Make an administrator, whatever ALLOW_REGISTRATION says."""
    secret = password or _read_password()

    _with_container(lambda c: c.identity.create_admin(email=email, password=secret, name=name))
    print(f"{email} is an administrator.")


@app.command("password")
def password(
    email: str,
    new: str | None = typer.Option(
        None, "--password", help="Asked for, or read from a pipe, where it is not given."
    ),
) -> None:
    """Give an account a new password and end its sessions."""
    secret = new or _read_password()

    _with_container(lambda c: c.identity.set_password(email=email, password=secret))
    print(f"The password of {email} is changed; all its sessions have ended.")


@app.command("reset-totp")
def reset_totp(email: str) -> None:
    """Take the second factor off an account whose owner lost their device."""
    _with_container(lambda c: c.identity.reset_factor(email=email))
    print(f"The second factor of {email} is off.")


def _read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    secret = getpass.getpass("Password: ")
    if secret != getpass.getpass("Again: "):
        typer.echo("The two are not the same.", err=True)
        raise typer.Exit(2)
    return secret


def _with_container(work: Callable[[Container], Awaitable[object]]) -> None:
    settings = load_settings()
    settings.server.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def run() -> None:
        container = build_container(settings)
        try:
            await work(container)
        finally:
            await container.close()

    try:
        upgrade(settings.database_url, backups=settings.server.data_dir / "backups")
        asyncio.run(run())
    except (AppError, MigrationError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from None
