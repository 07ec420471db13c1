"""The database form of the pipeline's sink: plan rows, window results and progress, each under the claim's fence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from app.asr.types import MIXED, MediaSummary, Peaks, Stage, Window, WindowResult
from app.core.failpoints import reached
from app.db.away import when_back
from app.db.session import Database, SystemSession
from app.models import HistoryKind, Job, JobWindow, MediaFile
from app.services.history import tell
from app.services.jobs import claims, events, minutes
from app.services.jobs.bus import EventBus
from app.services.jobs.progress import ProgressMeter
from app.services.jobs.stages import enter_stage
from app.services.jobs.windows import check_same, committed_values, planned_row, result_of
from app.services.media.peaks import store_peaks
from app.storage.base import ObjectStore

T = TypeVar("T")


class JobSink:
    """Checkpoints of one claimed job.

    A window's plan row is committed before the window runs and its result in one transaction, so a crash repeats
    at most the windows in flight. While `draining`, no further window is begun.
    """

    def __init__(
        self, database: Database, bus: EventBus, store: ObjectStore, claim: claims.Claim, job: Job
    ) -> None:
        self._database = database
        self._bus = bus
        self._store = store
        self._claim = claim
        self._run = job.run
        self._file_id = job.file_id
        self._mixed = job.language == MIXED
        self._reserved_ms = job.duration_ms or 0
        self._stage: Stage | None = None
        self._planned: dict[int, JobWindow] = {}
        self._executions: dict[int, int] = {}
        self._draining = asyncio.Event()
        self._in_flight: set[int] = set()
        self.meter = ProgressMeter(str(job.id), job.duration_ms)

    async def load(self) -> None:
        """Read the plan as far as an earlier claim brought it."""
        async with self._database.system(read_only=True) as session:
            rows = await session.execute(
                sa.select(JobWindow)
                .where(JobWindow.job_id == self._claim.job_id, JobWindow.run == self._run)
                .options(sa.orm.defer(JobWindow.segments))
            )
            self._planned = {w.idx: w for w in rows.scalars()}
        self._executions = {index: window.executions for index, window in self._planned.items()}
        for window in self._planned.values():
            if window.committed_at is not None:
                self.meter.resumed(window.end_ms - window.start_ms)

    @property
    def in_flight(self) -> int:
        """How many windows are with an engine now."""
        return len(self._in_flight)

    def attempts(self, window: Window) -> int:
        """How often a person asked for this window again."""
        known = self._planned.get(window.index)
        return known.reruns if known is not None else 0

    def drain(self) -> None:
        """Begin no further window; those in flight may still be committed."""
        self._draining.set()

    async def stage(self, stage: Stage) -> None:
        if stage == self._stage:
            return
        self._stage = stage
        await self._write(lambda s: enter_stage(s, self._claim, stage))
        self._bus.progress(self._claim.workspace_id, self.meter.report(stage))

    async def probed(self, hint_duration_ms: int | None) -> None:
        self.meter.expect(hint_duration_ms)

    async def plan(self, window: Window) -> WindowResult | None:
        await self._hold_while_draining()
        known = self._planned.get(window.index)
        if known is not None:
            check_same(known, window)
            return await self._result_of(window.index) if known.committed_at is not None else None

        async def insert(session: SystemSession) -> int:
            values = {"windows_planned": Job.windows_planned + 1}
            job = await claims.guarded(session, self._claim, values)
            session.add(planned_row(self._claim, self._run, window))
            if window.end_ms <= self._reserved_ms:
                return self._reserved_ms
            return await minutes.reserve_up_to(session, job, window.end_ms)

        async def inserted(session: SystemSession) -> int | None:
            found = await session.execute(self._row(window.index).with_only_columns(JobWindow.idx))
            return None if found.first() is None else self._reserved_ms

        self._reserved_ms = await self._write(insert, inserted)
        return None

    async def started(self, window: Window) -> None:
        await self._hold_while_draining()

        executions = self._executions.get(window.index, 0) + 1

        async def count(session: SystemSession) -> bool:
            job = await claims.guarded(session, self._claim, {"windows_executed": Job.windows_executed + 1})
            await session.execute(
                self._window(window.index).values(executions=executions, fence=self._claim.fence)
            )
            if executions > 1:
                await tell(session, job, HistoryKind.WINDOW_REPEATED, window=window.index, count=executions)
            return True

        async def counted(session: SystemSession) -> bool | None:
            reached = self._row(window.index).where(JobWindow.executions >= executions)
            return True if (await session.execute(reached)).first() is not None else None

        self._in_flight.add(window.index)  # before it is counted: a drain waits for what has been counted
        await self._write(count, counted)
        self._executions[window.index] = executions
        self.meter.began(time.monotonic())
        await self.stage(Stage.TRANSCRIBING)

    async def committed(self, window: Window, result: WindowResult) -> None:
        self.meter.committed(window.duration_ms, time.monotonic())
        progress = self.meter.report(Stage.TRANSCRIBING)

        async def commit(session: SystemSession) -> bool:
            job = await claims.guarded(
                session,
                self._claim,
                {
                    "windows_committed": Job.windows_committed + 1,
                    "host_losses": 0,
                    "progress": progress["progress"],
                    "eta_seconds": progress["eta_seconds"],
                    **self._language(result),
                },
            )
            row = await self._uncommitted(session, window.index)
            for column, value in committed_values(row, result, self._claim).items():
                setattr(row, column, value)
            if row.segments:
                data = {"run": self._run, "window": window.index}
                await events.append(session, self._bus, job, [("segments", data)])
            return True

        async def done(session: SystemSession) -> bool | None:
            mine = self._row(window.index).where(
                JobWindow.committed_at.is_not(None), JobWindow.fence == self._claim.fence
            )
            return True if (await session.execute(mine)).first() is not None else None

        reached("window.before")
        await self._write(commit, done)
        reached("window.after")
        self._in_flight.discard(window.index)
        self._bus.progress(self._claim.workspace_id, progress)

    async def decoded(self, summary: MediaSummary, peaks: Peaks | None) -> None:
        self.meter.expect(summary.duration_ms)
        key = await self._store_peaks(peaks)

        async def store(session: SystemSession) -> None:
            job = await claims.guarded(
                session,
                self._claim,
                {
                    "plan_complete": True,
                    "duration_ms": summary.duration_ms,
                    "speech_ms": summary.speech_ms,
                    "warnings": [{"code": n.code, "message": n.message} for n in summary.notices],
                },
            )
            await session.execute(
                sa.update(MediaFile)
                .where(MediaFile.id == job.file_id)
                .values(
                    duration_ms=summary.duration_ms,
                    sha256=sa.func.coalesce(MediaFile.sha256, summary.sha256),
                    channels=summary.channels,
                    channel_layout=summary.channel_layout,
                    peaks_key=sa.func.coalesce(MediaFile.peaks_key, key),
                )
            )

        try:
            await self._write(store)
        except claims.LostClaimError:
            await self._drop_orphan(key)
            raise

    async def _store_peaks(self, peaks: Peaks | None) -> str | None:
        """Writes the drawing where the recording has none yet; it never changes."""
        file = await self._write(lambda session: session.get(MediaFile, self._file_id))
        if peaks is None or file is None or file.peaks_key is not None:
            return None
        return await store_peaks(self._store, file.storage_key, peaks)

    async def _drop_orphan(self, key: str | None) -> None:
        """Peaks of a recording that was deleted while they were written."""
        file = await self._write(lambda session: session.get(MediaFile, self._file_id))
        if key is not None and file is None:
            await self._store.delete(key)

    async def count_crash(self, index: int) -> int:
        """One more death of an engine process on this window; answers how many there were. It ends the claim, so there
        is one for each at most, and counting it again changes nothing."""
        known = self._planned.get(index)
        crashes = (known.crashes if known is not None else 0) + 1

        async def count(session: SystemSession) -> int:
            job = await claims.guarded(session, self._claim, {})
            fewer = self._window(index).where(JobWindow.crashes < crashes)
            counted = await session.execute(fewer.values(crashes=crashes).returning(JobWindow.idx))
            if counted.first() is not None:
                await tell(session, job, HistoryKind.ENGINE_CRASHED, window=index, count=crashes)
            return crashes

        return await self._write(count)

    def _language(self, result: WindowResult) -> dict[str, Any]:
        """The first language that was heard is the recording's, unless each window may have its own."""
        if self._mixed or result.error is not None:
            return {}
        return {"detected_language": sa.func.coalesce(Job.detected_language, result.language)}

    def _window(self, index: int) -> sa.Update:
        return (
            sa.update(JobWindow)
            .where(JobWindow.job_id == self._claim.job_id, JobWindow.run == self._run, JobWindow.idx == index)
            .execution_options(synchronize_session=False)
        )

    def _row(self, index: int) -> sa.Select[JobWindow]:
        return sa.select(JobWindow).where(
            JobWindow.job_id == self._claim.job_id, JobWindow.run == self._run, JobWindow.idx == index
        )

    async def _uncommitted(self, session: SystemSession, index: int) -> JobWindow:
        row = (
            await session.execute(self._row(index).where(JobWindow.committed_at.is_(None)))
        ).scalar_one_or_none()
        if row is None:
            raise claims.LostClaimError
        return row

    async def _result_of(self, index: int) -> WindowResult:
        async with self._database.system(read_only=True) as session:
            return result_of((await session.execute(self._row(index))).scalar_one())

    async def _hold_while_draining(self) -> None:
        if self._draining.is_set():
            await asyncio.Event().wait()  # until the runner cancels this task and hands the job back

    async def _write(
        self,
        work: Callable[[SystemSession], Awaitable[T]],
        done: Callable[[SystemSession], Awaitable[T | None]] | None = None,
    ) -> T:
        """Run `work` in a transaction; while the database is away, hold the result and try again.

        A commit whose connection broke may have happened: before another try `done` looks, and answers what `work` had
        answered, or None. The caller's self-fence ends this when the lease can no longer be trusted.
        """
        tries = 0

        async def attempt() -> T:
            nonlocal tries
            tries += 1
            async with self._database.system() as session:
                if done is not None and tries > 1:
                    await claims.guarded(session, self._claim, {})
                    before = await done(session)
                    if before is not None:
                        return before
                return await work(session)

        return await when_back(attempt, what="checkpoint")
