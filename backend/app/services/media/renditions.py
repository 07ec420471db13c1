"""Makes playable versions of recordings, one at a time, in the background."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import sqlalchemy as sa

from app.asr.rendition import make_rendition
from app.core.ending import end
from app.core.errors import AppError, JobError, NotFoundError, UnavailableError
from app.core.logging import get_logger
from app.db.session import Database
from app.models import MediaFile, RenditionState
from app.storage.base import ObjectStore, StorageFullError
from app.storage.keys import sibling_key

log = get_logger(__name__)

MAX_ATTEMPTS = 2
Render = Callable[[Path, Path], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class _Claim:
    """`attempt` fences: every later write names it."""

    file_id: UUID
    storage_key: str
    attempt: int


class RenditionWorker:
    """Takes files that are PENDING, whoever marked them; rows are the truth, `wake` only saves the wait.

    A claim raises `rendition_attempts` and takes a lease, which is renewed while the child works, so that two
    processes never make the same one and a dead one's claim comes free. `render` as `make_rendition`.
    """

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        *,
        render: Render = make_rendition,
        lease_seconds: float = 60,
        poll_seconds: float = 30,
    ) -> None:
        self._database, self._store, self._render = database, store, render
        self._lease = timedelta(seconds=lease_seconds)
        self._poll_seconds = poll_seconds
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what is pending already."""
        self._task = asyncio.create_task(self._loop(), name="renditions")

    def wake(self) -> None:
        """There is a new PENDING row."""
        self._bell.set()

    async def stop(self) -> None:
        """Kills the child at work; its file is taken up again at the next start, at no cost of its attempts."""
        await end(self._task)
        self._task = None

    async def run_once(self) -> bool:
        """Make one rendition; False where there is nothing to do."""
        claim = await self._claim()
        if claim is None:
            return False
        await self._work(claim)
        return True

    async def _loop(self) -> None:
        while True:
            self._bell.clear()
            try:
                while await self.run_once():
                    pass
            except Exception as error:
                log.warning("renditions_paused", error=repr(error)[:200])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._bell.wait()

    async def _claim(self) -> _Claim | None:
        async with self._database.system(
            read_only=True
        ) as session:  # no writer's lock while there is nothing
            pending = sa.select(MediaFile.id).where(MediaFile.rendition_state == RenditionState.PENDING)
            if (await session.execute(pending.limit(1))).first() is None:
                return None
        async with self._database.system() as session:
            now = await session.database_now()
            free = sa.and_(
                MediaFile.rendition_state == RenditionState.PENDING,
                sa.or_(MediaFile.rendition_lease_until.is_(None), MediaFile.rendition_lease_until < now),
            )
            await session.execute(
                sa.update(MediaFile)
                .where(free, MediaFile.rendition_attempts >= MAX_ATTEMPTS)
                .values(rendition_state=RenditionState.FAILED, rendition_lease_until=None)
            )
            candidates = (
                sa.select(MediaFile.id, MediaFile.rendition_attempts)
                .where(free)
                .order_by(MediaFile.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            found = (await session.execute(candidates)).one_or_none()
            if found is None:
                return None
            row = (
                await session.execute(
                    sa.update(MediaFile)
                    .where(
                        MediaFile.id == found.id,
                        free,
                        MediaFile.rendition_attempts == found.rendition_attempts,
                    )
                    .values(
                        rendition_attempts=MediaFile.rendition_attempts + 1,
                        rendition_lease_until=now + self._lease,
                    )
                    .returning(MediaFile.id, MediaFile.storage_key, MediaFile.rendition_attempts)
                    .execution_options(synchronize_session=False)
                )
            ).one_or_none()
        return None if row is None else _Claim(row.id, row.storage_key, row.rendition_attempts)

    async def _work(self, claim: _Claim) -> None:
        target = self._store.scratch_dir() / f"{uuid4().hex}.tmp"
        beating = asyncio.create_task(self._keep(claim))
        try:
            async with self._store.local_copy(claim.storage_key) as source:
                content_type = await self._render(source, target)
            await self._succeed(claim, target, content_type)
        except NotFoundError:
            await self._write(claim, rendition_state=RenditionState.FAILED)
        except JobError as error:
            log.info(
                "rendition_failed", file_id=str(claim.file_id), attempt=claim.attempt, error=error.message
            )
            again = error.retryable and claim.attempt < MAX_ATTEMPTS
            await self._write(
                claim, rendition_state=RenditionState.PENDING if again else RenditionState.FAILED
            )
        except (asyncio.CancelledError, UnavailableError, StorageFullError):  # not the file's fault
            await self._write(claim, rendition_attempts=claim.attempt - 1)
            raise
        finally:
            await end(beating)
            target.unlink(missing_ok=True)

    async def _succeed(self, claim: _Claim, target: Path, content_type: str | None) -> None:
        if content_type is None:
            await self._write(claim, rendition_state=RenditionState.NONE)
            return
        key = sibling_key(claim.storage_key, "rendition")
        await self._store.put_file(key, target)
        kept = await self._write(
            claim,
            rendition_state=RenditionState.READY,
            rendition_key=key,
            rendition_content_type=content_type,
        )
        if not kept and not await self._exists(claim.file_id):
            await self._store.delete(key)  # the file was deleted meanwhile

    async def _write(self, claim: _Claim, **values: object) -> bool:
        """The end of a claim; False where the row is gone or was claimed by somebody else."""
        async with self._database.system() as session:
            written = await session.execute(
                sa.update(MediaFile)
                .where(
                    MediaFile.id == claim.file_id,
                    MediaFile.rendition_state == RenditionState.PENDING,
                    MediaFile.rendition_attempts == claim.attempt,
                )
                .values(rendition_lease_until=None, **values)
                .returning(MediaFile.id)
                .execution_options(synchronize_session=False)
            )
            return written.one_or_none() is not None

    async def _exists(self, file_id: UUID) -> bool:
        async with self._database.system(read_only=True) as session:
            found = await session.execute(sa.select(MediaFile.id).where(MediaFile.id == file_id))
            return found.one_or_none() is not None

    async def _keep(self, claim: _Claim) -> None:
        """Renews the lease while the child works."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            with contextlib.suppress(AppError, sa.exc.SQLAlchemyError, OSError):
                async with self._database.system() as session:
                    until = await session.database_now() + self._lease
                    await session.execute(
                        sa.update(MediaFile)
                        .where(
                            MediaFile.id == claim.file_id,
                            MediaFile.rendition_state == RenditionState.PENDING,
                            MediaFile.rendition_attempts == claim.attempt,
                        )
                        .values(rendition_lease_until=until)
                    )
