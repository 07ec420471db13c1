"""A bell rang: take the job whose turn it is."""

from __future__ import annotations

from typing import Any

from app.factory.celery import RUN_JOB
from app.services.jobs.resources import Resource
from app.tasks.celery_app import celery_app, process


@celery_app.task(name=RUN_JOB, bind=True)
def run(task: Any, job_id: str) -> None:  # noqa: ARG001 (who rang; the queue says whose turn it is)
    """Works to the end of one job that needs what this queue stands for."""
    resource = Resource(task.request.delivery_info["routing_key"])
    process().call(lambda container: container.on_call().run_next(resource))
