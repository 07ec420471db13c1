"""Jobs that wait for an engine: looked at now and then, without claiming them, until one can take them."""

from __future__ import annotations

import sqlalchemy as sa

from app.db.session import Database
from app.models import Job, JobStatus
from app.services.jobs.engine_choice import EngineChooser

FAR_SECONDS = 24 * 3600  # a waiting job is due again by then in any case


async def wake_ready(database: Database, chooser: EngineChooser) -> int:
    """Make due what an engine could take now; answers how many jobs that are.

    Jobs that ask for the same thing wait for the same thing, so each request is looked at once.
    """
    kind = (Job.requested_engine, Job.requested_model, Job.language, Job.translate, Job.workspace_id)
    async with database.system(read_only=True) as session:
        now = await session.database_now()
        waiting = (
            await session.execute(
                sa.select(*kind)
                .where(Job.status == JobStatus.PENDING, Job.wait_reason.is_not(None), Job.run_after > now)
                .distinct()
            )
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
                    Job.status == JobStatus.PENDING,
                    Job.wait_reason.is_not(None),
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
