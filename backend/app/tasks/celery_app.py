"""`celery -A app.tasks.celery_app worker`, as `transcribe worker` starts it with EXECUTOR=celery.

In a pool of processes (the default) each works on one job at a time with engines of its own; they end when their parent
does. In a pool of threads all share one container.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import Any

import psutil
from celery import signals

from app.core.child.confine import die_with_parent
from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.core.logging import configure_logging
from app.factory import check_settings
from app.factory.celery import build_celery
from app.services.jobs.resources import Resource
from app.tasks.process import WorkerProcess

HAND_BACK = signal.SIGUSR2  # from the parent to its pool: SIGTERM has another meaning there

settings = Settings.load()
celery_app = build_celery(settings)
celery_app.conf.imports = ("app.tasks.jobs", "app.tasks.maintenance")

_building = threading.Lock()
_process: WorkerProcess | None = None


def process() -> WorkerProcess:
    """What this process works with; a pool of threads builds it with the first job."""
    global _process
    with _building:
        if _process is None:
            _process = WorkerProcess(settings, _resources())
        return _process


def _resources() -> list[Resource]:
    """Those whose queues this worker takes from (`-Q`)."""
    return [Resource(name) for name in celery_app.amqp.queues.consume_from if name in set(Resource)]


@signals.celeryd_init.connect
def _check(**_: Any) -> None:
    if settings.workers.executor != "celery":
        raise SystemExit("EXECUTOR is not celery: see docs/operations.md, Workers.")
    try:
        check_settings(settings)
    except ConfigurationError as error:
        raise SystemExit(str(error)) from None


@signals.setup_logging.connect
def _log(**_: Any) -> None:
    configure_logging(settings.server.log_format, settings.server.log_level)


@signals.worker_process_init.connect
def _begin(**_: Any) -> None:
    global _process
    die_with_parent(os.getppid())
    concurrency = int(celery_app.conf.worker_concurrency or 1)
    _process = WorkerProcess(settings, _resources(), share=concurrency)
    signal.signal(HAND_BACK, lambda *_: process().begin_stop())


@signals.worker_process_shutdown.connect
def _end(**_: Any) -> None:
    if _process is not None:
        _process.close()


@signals.worker_shutting_down.connect
def _hand_back(**_: Any) -> None:
    """In the parent: Celery now waits for its tasks, which end as soon as their jobs are handed back."""
    if _process is not None:
        _process.begin_stop()
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, OSError):
            child.send_signal(HAND_BACK)


@signals.worker_shutdown.connect
def _ended(**_: Any) -> None:
    if _process is not None:
        _process.close()
