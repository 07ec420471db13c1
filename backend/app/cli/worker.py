"""`transcribe worker`: works on jobs of other processes' servers, with EXECUTOR=database or celery."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
from collections.abc import Sequence
from typing import Annotated

import typer

from app.cli.serve import migrate_database
from app.cli.settings import load_settings
from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.core.logging import configure_logging
from app.factory import Role, build_container, check_settings
from app.services.jobs.resources import Resource

CELERY_APP = (
    "app.tasks.celery_app"  # by name: commands and tasks stand side by side and do not know each other
)

Queues = Annotated[
    str, typer.Option(help="Only jobs that need these: media, cpu, net, fast, separated by commas.")
]
Jobs = Annotated[
    int,
    typer.Option(min=0, help="Jobs at a time. 0: as MAX_PARALLEL_TRANSCRIPTIONS has it.", show_default=False),
]
Pool = Annotated[
    str, typer.Option(help="With Celery: prefork, or threads, which suits the queue net.", show_default=True)
]


def worker(queues: Queues = "", jobs: Jobs = 0, pool: Pool = "prefork") -> None:
    """Work on jobs until SIGTERM or Ctrl-C; what is not done then goes back to the queue."""
    settings = load_settings()
    resources = _resources(queues)
    if settings.workers.executor == "inprocess":
        typer.echo(
            "EXECUTOR=inprocess: `transcribe serve` works on jobs itself. Set EXECUTOR=database or celery for both.",
            err=True,
        )
        raise typer.Exit(2)
    try:
        check_settings(settings)
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    migrate_database(settings)
    if settings.workers.executor == "celery":
        _run_celery(resources, jobs or settings.speech.max_parallel_transcriptions, pool)
    else:
        configure_logging(settings.server.log_format, settings.server.log_level)
        asyncio.run(_run(settings, resources, jobs))


def _resources(names: str) -> list[Resource]:
    if not names:
        return list(Resource)
    try:
        return [Resource(name.strip()) for name in names.split(",") if name.strip()]
    except ValueError as error:
        typer.echo(f"--queues: {error}. There are {', '.join(Resource)}.", err=True)
        raise typer.Exit(2) from None


async def _run(settings: Settings, resources: Sequence[Resource], jobs: int) -> None:
    container = build_container(settings, Role.WORKER, resources=resources, slots=jobs or None)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await container.start()
    print(f"Transcribe worker {os.getpid()} is ready: {', '.join(resources)}", flush=True)
    try:
        await stop.wait()
    finally:
        await container.close()


def _run_celery(resources: Sequence[Resource], jobs: int, pool: str) -> None:
    celery = importlib.import_module(CELERY_APP).celery_app
    celery.conf.worker_concurrency = jobs
    options = ["--concurrency", str(jobs), "--pool", pool, "--queues", ",".join(resources), "-O", "fair"]
    options += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
    celery.worker_main(["worker", *options])
