"""The periodic work of a server at once, for whoever has no server running: `celery call maintenance.run`."""

from __future__ import annotations

from app.factory.celery import RUN_MAINTENANCE
from app.tasks.celery_app import celery_app, process


@celery_app.task(name=RUN_MAINTENANCE)
def run() -> None:
    """Every step once; each is safe to run twice."""
    process().call(lambda container: container.maintenance.run_once())
