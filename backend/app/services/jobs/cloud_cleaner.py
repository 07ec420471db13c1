"""Has AssemblyAI delete what it no longer needs to keep: texts that are here, and work of jobs that are over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.asr.engines.assemblyai import ENGINE, AssemblyAI
from app.asr.remote.errors import REJECTED, ProviderError
from app.core.background import Background
from app.core.clock import utcnow
from app.core.logging import get_logger
from app.db.session import Database
from app.models import FINAL, CallState, ExternalCall, Job

log = get_logger(__name__)

EVERY_SECONDS = 60.0
AT_ONCE = 50


class CloudCleaner:
    """Deletes soon after `wake`, and again every minute what could not be deleted. Safe in every process at once:
    deleting twice does no harm."""

    def __init__(
        self, database: Database, provider: AssemblyAI, *, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._database = database
        self._provider = provider
        self._background = Background("cloud_cleaning", self.run_once, every_seconds=every_seconds)

    def start(self) -> None:
        """Begin in the background, with a first pass at once: the last process may have left something."""
        self._background.wake()
        self._background.start()

    def wake(self) -> None:
        """A job with a provider has ended."""
        self._background.wake()

    async def stop(self) -> None:
        await self._background.stop()

    async def run_once(self) -> int:
        """Answers how many calls were cleaned. A provider that does not answer ends the pass, not the work."""
        await self._close_unanswered()
        cleaned = 0
        for row_id, provider_id, upload_url in await self._due():
            try:
                found = provider_id or await self._provider.find(upload_url)
                if found is not None:
                    await self._provider.delete(found)
            except ProviderError as error:
                await self._note(row_id, error=error.message)
                if error.code == REJECTED:  # it will not delete what it is still at work on
                    continue
                log.warning("provider_cleaning_waits", reason=error.message)
                return cleaned
            await self._note(row_id, state=CallState.CLEANED, provider_id=found, finished_at=utcnow())
            cleaned += 1
        return cleaned

    async def _due(self) -> list[tuple[UUID, str | None, str]]:
        """Calls whose text is here, or whose job is over, gone, or with another engine by now."""
        over = sa.or_(
            ExternalCall.job_id.is_(None),
            Job.status.in_(FINAL),
            Job.run != ExternalCall.run,
            Job.engine != ExternalCall.engine,
        )
        kept = sa.or_(
            sa.and_(
                ExternalCall.state.in_((CallState.DONE, CallState.FAILED)),
                ExternalCall.provider_id.is_not(None),
            ),
            sa.and_(
                ExternalCall.state.in_((CallState.SUBMITTED, CallState.PLANNED)),
                ExternalCall.upload_url.is_not(None),
                over,
            ),
        )
        async with self._database.system(read_only=True) as session:
            rows = await session.execute(
                sa.select(ExternalCall.id, ExternalCall.provider_id, ExternalCall.upload_url)
                .outerjoin(Job, Job.id == ExternalCall.job_id)
                .where(ExternalCall.engine == ENGINE, kept)
                .order_by(ExternalCall.created_at)
                .limit(AT_ONCE)
            )
            return [(row_id, provider_id, url or "") for row_id, provider_id, url in rows]

    async def _close_unanswered(self) -> None:
        """Calls that left nothing at the provider and whose job is over: they will not be answered any more."""
        over = (
            sa.select(Job.id)
            .where(Job.id == ExternalCall.job_id, Job.status.not_in(FINAL), Job.run == ExternalCall.run)
            .exists()
        )
        async with self._database.system() as session:
            await session.execute(
                sa.update(ExternalCall)
                .where(
                    ExternalCall.state == CallState.PLANNED,
                    ExternalCall.upload_url.is_(None),
                    sa.not_(over),
                )
                .values(state=CallState.FAILED, error="Nobody waited for the answer.", finished_at=utcnow())
                .execution_options(synchronize_session=False)
            )

    async def _note(self, row_id: UUID, **values: Any) -> None:
        async with self._database.system() as session:
            await session.execute(sa.update(ExternalCall).where(ExternalCall.id == row_id).values(**values))
