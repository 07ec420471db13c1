"""Who works on jobs: the one table of EXECUTOR and a process's role."""

from __future__ import annotations

from collections.abc import Collection

from app.core.config import Settings
from app.services.jobs.bells import Ringer
from app.services.jobs.dispatcher import InProcessDispatcher
from app.services.jobs.executor import Elsewhere, Executor
from app.services.jobs.on_call import OnCall
from app.services.jobs.resources import Resource, only_for
from app.services.jobs.runner import RunnerParts


def build_executor(
    settings: Settings,
    parts: RunnerParts,
    is_worker: bool,
    resources: Collection[Resource],
    slots: int | None = None,
) -> Executor:
    """In `inprocess` the server works itself; else workers do, and the server only tells them."""
    if settings.workers.executor == "celery":
        ringer = _build_ringer(settings, parts)
        return _build_on_call(settings, parts, ringer, resources) if is_worker else ringer
    if settings.workers.executor == "database" and not is_worker:
        return Elsewhere(parts.bus)
    dispatcher = InProcessDispatcher(
        parts,
        slots=slots or settings.speech.max_parallel_transcriptions,
        drain_seconds=settings.server.shutdown_seconds,
        only=only_for(settings.speech.transcription_backend, resources),
    )
    parts.bus.on_work.append(dispatcher.ring)
    return dispatcher


def _build_ringer(settings: Settings, parts: RunnerParts) -> Ringer:
    from app.factory.celery import CeleryBell  # a fifth of a second that other executors do not pay

    return Ringer(parts.database, CeleryBell(settings), backend=settings.speech.transcription_backend)


def _build_on_call(
    settings: Settings, parts: RunnerParts, ringer: Ringer, resources: Collection[Resource]
) -> OnCall:
    return OnCall(
        parts,
        ringer,
        backend=settings.speech.transcription_backend,
        resources=resources,
        drain_seconds=settings.server.shutdown_seconds,
    )
