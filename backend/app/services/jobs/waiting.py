"""Jobs that wait for an engine, or for room: looked at now and then, without claiming them, until they can go on."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.asr import selection
from app.asr.selection import Choice
from app.db.session import Database
from app.models import HistoryKind, Job, JobStatus
from app.services.history import tell_release, tell_wait
from app.services.jobs.admission import OF_STORAGE, PARALLEL_LIMIT, STORAGE_AWAY, STORAGE_FULL, Room
from app.services.jobs.bus import EventBus
from app.services.jobs.engine_choice import MODEL_DOWNLOAD_FAILED, MODEL_DOWNLOADING, EngineChooser
from app.services.jobs.events import append_status

FAR_SECONDS = 24 * 3600  # a waiting job is due again by then in any case
NO_WORKER = "no_worker"
NO_WORKER_SECONDS = 60.0  # longer than a lease, and than a worker takes to look at the queue without a bell
_TOLD_AT_ONCE = 100  # jobs a round


# All that `Job.wait_reason` may be; docs/api.md says what each means.
WAIT_REASONS = frozenset(
    {
        selection.MODEL_MISSING,
        selection.MODEL_INVALID,
        selection.MODEL_RETIRED,
        selection.ENGINE_MISSING,
        selection.ENGINE_ELSEWHERE,
        selection.LANGUAGE_UNSUPPORTED,
        selection.TRANSLATION_UNSUPPORTED,
        selection.CLOUD_NOT_CONFIGURED,
        selection.CLOUD_FORBIDDEN,
        selection.CLOUD_LIMIT,
        selection.CLOUD_SPEND_LIMIT,
        selection.PROVIDER_DOWN,
        MODEL_DOWNLOADING,
        MODEL_DOWNLOAD_FAILED,
        "engine_unavailable",
        STORAGE_FULL,
        STORAGE_AWAY,
        PARALLEL_LIMIT,
        NO_WORKER,
    }
)
# They wait for an engine that is not to be had. Others have a time of their own, or wait for something else.
_FOR_AN_ENGINE = (
    Job.status == JobStatus.PENDING,
    Job.wait_reason.is_not(None),
    Job.wait_reason.not_in((*OF_STORAGE, PARALLEL_LIMIT, NO_WORKER)),
    Job.error_code.is_(None),
)
# What a job that waits for a model may learn, and what it had been told before.
_LEARNT = {
    MODEL_DOWNLOAD_FAILED: (selection.MODEL_MISSING, MODEL_DOWNLOADING),
    selection.MODEL_INVALID: (selection.MODEL_MISSING, MODEL_DOWNLOADING, MODEL_DOWNLOAD_FAILED),
}


def _left_alone(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Due for long, and nobody holds a lease on any job: whoever could take it is not there."""
    other = aliased(Job)
    at_work = sa.select(other.id).where(other.status == JobStatus.PROCESSING, other.lease_expires_at > now)
    due = now - timedelta(seconds=NO_WORKER_SECONDS)
    return (Job.status == JobStatus.PENDING, Job.run_after <= due, ~at_work.exists())


async def nobody_works(database: Database) -> bool:
    """Whether a job has been due for `NO_WORKER_SECONDS` while none is being worked on anywhere."""
    async with database.system(read_only=True) as session:
        now = await session.database_now()
        return (
            await session.execute(sa.select(Job.id).where(*_left_alone(now)).limit(1))
        ).first() is not None


async def tell_that_nobody_works(database: Database, bus: EventBus) -> None:
    """Says so in the jobs that are left alone; they stay due, and whoever takes one takes the reason back."""
    async with database.system(read_only=True) as session:
        now = await session.database_now()
        untold = sa.select(Job.id).where(*_left_alone(now), Job.wait_reason.is_(None))
        ids = list((await session.execute(untold.order_by(Job.run_after).limit(_TOLD_AT_ONCE))).scalars())
    for job_id in ids:
        async with database.system() as session:
            now = await session.database_now()
            found = await session.execute(
                sa.update(Job)
                .where(Job.id == job_id, *_left_alone(now), Job.wait_reason.is_(None))
                .values(wait_reason=NO_WORKER)
                .returning(Job)
                .execution_options(populate_existing=True, synchronize_session=False)
            )
            job = found.scalar_one_or_none()
            if job is not None:
                await append_status(session, bus, job)
                await tell_wait(session, job)


async def wake_stored(database: Database, room: Room) -> int:
    """Make due what waits for the store, once it works and has room; answers how many jobs that are."""
    async with database.system(read_only=True) as session:
        now = await session.database_now()
        waiting = sa.select(Job.id).where(
            Job.status == JobStatus.PENDING, Job.wait_reason.in_(OF_STORAGE), Job.run_after > now
        )
        if (await session.execute(waiting.limit(1))).first() is None:
            return 0
    if await room.reason() is not None:
        return 0
    async with database.system() as session:
        now = await session.database_now()
        woken = await session.execute(
            sa.update(Job)
            .where(Job.status == JobStatus.PENDING, Job.wait_reason.in_(OF_STORAGE), Job.run_after > now)
            .values(run_after=now)
            .returning(Job.id)
            .execution_options(synchronize_session=False)
        )
        return len(woken.all())


async def wake_ready(database: Database, bus: EventBus, chooser: EngineChooser) -> int:
    """Make due what an engine could take now; answers how many jobs that are.

    Jobs that ask for the same thing wait for the same thing, so each request is looked at once.
    """
    kind = (Job.requested_engine, Job.requested_model, Job.language, Job.translate, Job.workspace_id)
    async with database.system(read_only=True) as session:
        now = await session.database_now()
        waiting = (
            await session.execute(sa.select(*kind).where(*_FOR_AN_ENGINE, Job.run_after > now).distinct())
        ).all()
    woken = 0
    for engine, model, language, translate, workspace_id in waiting:
        choice = await chooser.choose_for(
            engine, model, language, translate=translate, workspace_id=workspace_id
        )
        asked = (
            Job.requested_engine.is_not_distinct_from(engine),
            Job.requested_model.is_not_distinct_from(model),
            Job.language == language,
            Job.translate.is_(translate),
            Job.workspace_id == workspace_id,
        )
        if choice.spec is not None:
            woken += await _make_due(database, asked)
        elif choice.wait_reason in _LEARNT:
            await _tell_what_was_learnt(database, bus, choice, asked)
    return woken


async def _make_due(database: Database, asked: tuple[sa.ColumnElement[bool], ...]) -> int:
    async with database.system() as session:
        now = await session.database_now()
        result = await session.execute(
            sa.update(Job)
            .where(*_FOR_AN_ENGINE, *asked)
            .values(run_after=now)
            .returning(Job.id)
            .execution_options(synchronize_session=False)
        )
        return len(result.all())


async def _tell_what_was_learnt(
    database: Database, bus: EventBus, choice: Choice, asked: tuple[sa.ColumnElement[bool], ...]
) -> None:
    """No file came, or not the model's: what waited for it says so, and goes on waiting.

    Only this way round: every machine looks at its own disk, and two that differ would tell in turns for ever.
    """
    reason = choice.wait_reason or ""
    before = Job.wait_reason.in_(_LEARNT[reason])
    async with database.system(read_only=True) as session:
        stale = sa.select(Job.id).where(*_FOR_AN_ENGINE, *asked, before)
        ids: list[UUID] = list((await session.execute(stale)).scalars())
    for job_id in ids:
        async with database.system() as session:
            now = await session.database_now()
            found = await session.execute(
                sa.update(Job)
                .where(*_FOR_AN_ENGINE, Job.id == job_id, before)
                .values(wait_reason=reason, engine_reasons=list(choice.reasons))
                .returning(Job)
                .execution_options(populate_existing=True)
            )
            job = found.scalar_one_or_none()
            if job is not None:
                await append_status(session, bus, job)
                await tell_release(session, job, HistoryKind.WAITING, at=now)
