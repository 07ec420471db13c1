"""Celery as it is used here: Redis carries ids of jobs to whoever is free, and nothing hangs on a message.

A message is acknowledged before its work begins and never redelivered: what a dead worker leaves comes back by its
lease. So no visibility timeout, no result, no retry, no countdown and no beat; see docs/adr/0020.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from celery import Celery
from kombu.entity import Queue

from app.core.config import Settings
from app.services.jobs.resources import Resource

KEY_PREFIX = "transcribe:"
RUN_JOB = "jobs.run"
RUN_MAINTENANCE = "maintenance.run"
AWAY_SECONDS = 5.0  # after which a Redis that does not answer is away


def build_celery(settings: Settings) -> Celery:
    """The client for both sides. Opens no connection."""
    celery = Celery("transcribe", broker=settings.server.redis_url.get_secret_value(), set_as_current=False)
    celery.conf.update(
        task_queues=[Queue(str(resource)) for resource in Resource],  # type: ignore[no-untyped-call]
        task_default_queue=str(Resource.FAST),
        task_acks_late=False,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_serializer="json",
        accept_content=["json"],
        task_publish_retry=False,  # the next look rings again
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,  # a short job never waits behind a long one while another worker is idle
        worker_concurrency=settings.speech.max_parallel_transcriptions,
        worker_max_tasks_per_child=200,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "global_keyprefix": KEY_PREFIX,
            "socket_keepalive": True,
            "socket_connect_timeout": AWAY_SECONDS,
            "socket_timeout": 2 * AWAY_SECONDS,
            "health_check_interval": 10,
            "max_retries": 1,
        },
    )
    return celery


class CeleryBell:
    """Bells as Celery's messages. Publishing blocks, so it goes to a thread."""

    def __init__(self, settings: Settings) -> None:
        from redis.asyncio import Redis

        self._celery = build_celery(settings)
        timeouts: dict[str, Any] = {"socket_connect_timeout": AWAY_SECONDS, "socket_timeout": AWAY_SECONDS}
        self._redis = Redis.from_url(settings.server.redis_url.get_secret_value(), **timeouts)

    async def unheard(self, resource: Resource) -> int:
        return int(await self._redis.llen(f"{KEY_PREFIX}{resource}"))

    async def ring(self, resource: Resource, job_id: UUID) -> None:
        await asyncio.to_thread(
            self._celery.send_task, RUN_JOB, [str(job_id)], queue=str(resource), retry=False
        )

    async def close(self) -> None:
        await self._redis.aclose()
        await asyncio.to_thread(self._celery.close)
