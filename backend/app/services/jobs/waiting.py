"""Jobs that wait for an engine, or for room: looked at now and then, without claiming them, until they can go on."""

from __future__ import annotations

import sqlalchemy as sa

from app.asr import selection
from app.db.session import Database
from app.models import Job, JobStatus
from app.services.jobs.admission import OF_STORAGE, PARALLEL_LIMIT, STORAGE_AWAY, STORAGE_FULL, Room
from app.services.jobs.engine_choice import MODEL_DOWNLOADING, EngineChooser

FAR_SECONDS = 24 * 3600  # a waiting job is due again by then in any case


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
        "model_download_failed",
        "engine_unavailable",
        STORAGE_FULL,
        STORAGE_AWAY,
        PARALLEL_LIMIT,
    }
)
# They wait for an engine that is not to be had. Others have a time of their own, or wait for something else.
_FOR_AN_ENGINE = (
    Job.status == JobStatus.PENDING,
    Job.wait_reason.is_not(None),
    Job.wait_reason.not_in((*OF_STORAGE, PARALLEL_LIMIT)),
    Job.error_code.is_(None),
)


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


async def wake_ready(database: Database, chooser: EngineChooser) -> int:
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
        if choice.spec is None:
            continue
        async with database.system() as session:
            now = await session.database_now()
            result = await session.execute(
                sa.update(Job)
                .where(
                    *_FOR_AN_ENGINE,
                    Job.requested_engine.is_not_distinct_from(engine),
                    Job.requested_model.is_not_distinct_from(model),
                    Job.language == language,
                    Job.translate.is_(translate),
                    Job.workspace_id == workspace_id,
                )
                .values(run_after=now)
                .returning(Job.id)
                .execution_options(synchronize_session=False)
            )
            woken += len(result.all())
    return woken
