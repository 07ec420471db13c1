"""Sets the gauges of /metrics from the queue and the engines at the moment of the scrape."""

from __future__ import annotations

import sqlalchemy as sa

from app.asr.host.pool import EnginePool
from app.core.clock import utcnow
from app.core.errors import AppError
from app.core.logging import get_logger
from app.core.metrics import Metrics
from app.db.session import Database
from app.models import Delivery, Job, JobStatus
from app.models.webhooks import DeliveryState
from app.services.jobs.bus import EventBus
from app.services.jobs.waiting import NO_WORKER

log = get_logger(__name__)


async def set_gauges(metrics: Metrics, database: Database, pool: EnginePool, bus: EventBus) -> None:
    """Never fails: while the database is away the rest is still worth having."""
    stats = pool.stats()
    metrics.engine_processes.set(len(stats.processes))
    metrics.windows_waiting.set(stats.waiting)
    metrics.watchers.set(bus.watchers)
    try:
        async with database.system(read_only=True) as session:
            rows = await session.execute(sa.select(Job.status, sa.func.count()).group_by(Job.status))
            counts: dict[str, int] = dict(iter(rows))
            sent = await session.execute(sa.select(Delivery.state, sa.func.count()).group_by(Delivery.state))
            deliveries: dict[str, int] = dict(iter(sent))
            due = sa.select(sa.func.min(Job.run_after)).where(
                Job.status == JobStatus.PENDING,
                sa.or_(Job.wait_reason.is_(None), Job.wait_reason == NO_WORKER),
            )
            oldest = (await session.execute(due)).scalar()
    except (sa.exc.SQLAlchemyError, OSError, AppError) as error:
        metrics.scrape_failures.inc()
        log.warning("metrics_without_database", error=repr(error)[:200])
        return
    for status in JobStatus:
        metrics.jobs.labels(status.value).set(counts.get(status.value, 0))
    for state in DeliveryState:
        metrics.webhook_deliveries.labels(state.value).set(deliveries.get(state.value, 0))
    waited = (utcnow() - oldest).total_seconds() if oldest is not None else 0.0
    metrics.oldest_pending_seconds.set(max(0.0, waited))
