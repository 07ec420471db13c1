"""The claim core under everything that may happen to it, as a state machine that Hypothesis drives.

Workers hold claims and go on with them whether they are still theirs or not: a paused process, a late answer, a swept
lease. After every step the rows have to agree with each other and with what was promised.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.asr.host.pool import EngineCrashed
from app.asr.types import MediaSummary, Window
from app.core.clock import new_id, utcnow
from app.core.errors import AppError, JobError
from app.db.away import DatabaseAwayError, when_back
from app.db.session import Database
from app.models import Job, JobStatus, JobWindow, Transcript
from app.services.jobs import claims, finalize, minutes, recovery
from app.services.jobs.bus import EventBus
from app.services.jobs.checkpoints import JobSink
from app.services.jobs.outcome import Outcome
from app.services.jobs.owner import Owner
from app.services.jobs.service import JobService
from app.services.jobs.windows import PlanChangedError
from tests.chaos.claim_checks import ForgetfulDatabase, Promise, check_rows
from tests.fixtures.jobs import add_job, add_workspace
from tests.fixtures.runs import SECOND, said

T = TypeVar("T")
D = TypeVar("D", bound=Database)


@dataclass
class Worker:
    """A claim and what its process knows. `at` is the window it comes to next; `cut` how this version cuts files."""

    claim: claims.Claim
    sink: JobSink
    cut: int
    windows: int
    at: int = 0
    decoded: bool = False


def cut_file(cut: int, windows: int) -> list[Window]:
    """How version `cut` cuts a file: another version has other cut points."""
    length = (10 + cut) * SECOND
    return [
        Window(n, n * length, (n + 1) * length, ((n * length, (n + 1) * length),)) for n in range(windows)
    ]


class ClaimMachine(RuleBasedStateMachine):
    """`make_database` gives a fresh migrated database; set by the test that runs this."""

    make_database: Callable[[], tuple[str, Callable[[], None]]]

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self.url, self._drop = type(self).make_database()
        self.database: ForgetfulDatabase = self.run(self._open(ForgetfulDatabase))
        self.calm: Database = self.run(self._open(Database))  # for the test's own hand
        self.bus = EventBus()
        self.service = JobService(self.bus, ring=lambda: None, interrupt=lambda _: None)
        self.promises: dict[UUID, Promise] = {}
        self.workers: list[Worker] = []
        self.touched: set[UUID] = set()  # workspaces whose events are not all there any more
        self.cut = 0

    def teardown(self) -> None:
        self.run(self.database.close())
        self.run(self.calm.close())
        self._runner.close()
        self._drop()

    def run(self, work: Awaitable[T]) -> T:
        async def whole() -> T:
            return await work

        return self._runner.run(whole())

    async def _open(self, kind: type[D]) -> D:
        return kind(self.url)

    # What people do

    @initialize()
    def two_workspaces(self) -> None:
        self.workspaces = [self.run(add_workspace(self.calm)) for _ in range(2)]

    @precondition(lambda self: len(self.promises) < 4)
    @rule(workspace=st.integers(0, 1), windows=st.integers(1, 3))
    def create(self, workspace: int, windows: int) -> None:
        workspace_id = self.workspaces[workspace]
        job_id = self.run(self._create(workspace_id))
        self.promises[job_id] = Promise(workspace_id, windows)

    @precondition(lambda self: self.promises)
    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        job_id, promise = self._pick(pick)
        if self.run(self._ask(promise, lambda s: self.service.cancel(s, job_id))):
            promise.cancel_asked = True

    @precondition(lambda self: self.promises)
    @rule(pick=st.integers(0, 99))
    def retry(self, pick: int) -> None:
        job_id, promise = self._pick(pick)
        if self.run(self._ask(promise, lambda s: self.service.retry(s, job_id))):
            assert promise.ended is not None, "a job that had not ended was begun again"
            promise.cancel_asked, promise.ended = False, None

    @precondition(lambda self: self.promises)
    @rule(pick=st.integers(0, 99))
    def delete(self, pick: int) -> None:
        job_id, promise = self._pick(pick)
        if self.run(self._ask(promise, lambda s: self.service.delete(s, job_id))):
            del self.promises[job_id]
            self.touched.add(promise.workspace_id)

    # What workers do, whether they still may or not

    @precondition(lambda self: len(self.workers) < 5)
    @rule()
    def claim(self) -> None:
        worker = self.run(self._claim())
        if worker is not None:
            self.workers.append(worker)

    @precondition(lambda self: self.workers)
    @rule(pick=st.integers(0, 99))
    def step(self, pick: int) -> None:
        worker = self.workers[pick % len(self.workers)]
        try:
            self._guarded(worker, lambda: self._step(worker))
        except (PlanChangedError, DatabaseAwayError) as error:
            broken = error
            self._ends(worker, lambda outcome: outcome.failed(broken))

    @precondition(lambda self: self.workers)
    @rule(pick=st.integers(0, 99))
    def heartbeat(self, pick: int) -> None:
        worker = self.workers[pick % len(self.workers)]

        async def beat() -> None:
            async with self.database.system() as session:
                await claims.heartbeat(session, worker.claim)

        with contextlib.suppress(DatabaseAwayError):  # the next beat may get through
            self._guarded(worker, beat)

    @precondition(lambda self: self.workers)
    @rule(
        pick=st.integers(0, 99), how=st.sampled_from(["released", "retryable", "fatal", "crash", "cancelled"])
    )
    def ends_early(self, pick: int, how: str) -> None:
        worker = self.workers[pick % len(self.workers)]
        job_id = worker.claim.job_id
        if how == "cancelled":
            promise = self.promises.get(job_id)
            if promise is None or not promise.cancel_asked:
                return  # a worker says so only where it was asked
            self._ends(worker, lambda outcome: outcome.cancelled())
        elif how == "released":
            self._ends(worker, lambda outcome: outcome.handed_back())
        elif how == "crash":
            if not self.run(self._has_window(job_id, worker.at)):
                return
            error = EngineCrashed("signal SIGSEGV", worker.at)
            self._ends(worker, lambda outcome: outcome.failed(error))
        else:
            broke = JobError("engine_failed", "It broke.", retryable=how == "retryable")
            self._ends(worker, lambda outcome: outcome.failed(broke))

    # What happens to machines

    @precondition(lambda self: self.workers)
    @rule(pick=st.integers(0, 99))
    def sleeps_past_its_lease(self, pick: int) -> None:
        """A paused process: everybody else sees an old lease, and it goes on as if nothing had been."""
        claim = self.workers[pick % len(self.workers)].claim
        self.run(self._set(claim, lease_expires_at=utcnow() - timedelta(seconds=1)))

    @rule()
    def sweep(self) -> None:
        with contextlib.suppress(DatabaseAwayError):  # the next round goes on
            self.run(recovery.sweep_expired_leases(self.database, self.bus))

    @rule()
    def an_answer_will_be_lost(self) -> None:
        """The next commit happens, and whoever made it is told that the database is away."""
        self.database.forget_next = True

    @precondition(lambda self: self.workers)
    @rule(pick=st.integers(0, 99))
    def host_dies(self, pick: int) -> None:
        worker = self.workers.pop(pick % len(self.workers))
        me = Owner.current()
        dead = replace(me, boot_id="another boot")
        self.run(self._set(worker.claim, lease_owner=str(dead)))
        with contextlib.suppress(DatabaseAwayError):
            self.run(recovery.recover_dead_owners(self.database, self.bus))

    @rule()
    def time_passes(self) -> None:
        async def due() -> None:
            async with self.calm.system() as session:
                await session.execute(sa.update(Job).values(run_after=utcnow() - timedelta(seconds=1)))

        self.run(due())

    @precondition(lambda self: any(p.ended == JobStatus.COMPLETED for p in self.promises.values()))
    @rule()
    def writes_a_second_transcript(self) -> None:
        """Whatever code may do: the table itself refuses two transcripts of one run."""
        with contextlib.suppress(sa.exc.IntegrityError):
            self.run(self._second_transcript())

    @rule()
    def another_version_cuts_differently(self) -> None:
        self.cut = 1 - self.cut

    # What must hold

    @invariant()
    def rows_agree(self) -> None:
        self.run(check_rows(self.calm, self.promises, self.touched))

    # Pieces

    def _pick(self, pick: int) -> tuple[UUID, Promise]:
        return sorted(self.promises.items())[pick % len(self.promises)]

    async def _ask(self, promise: Promise, act: Callable[[Any], Awaitable[Any]]) -> bool:
        """Whether it was accepted; a refusal changes nothing."""
        try:
            async with self.database.tenant(promise.workspace_id) as session:
                await act(session)
        except AppError:
            return False
        return True

    async def _create(self, workspace_id: UUID) -> UUID:
        job_id = await add_job(self.calm, workspace_id, language="en")
        async with self.calm.system() as session:
            await minutes.reserve(session, await session.get_one(Job, job_id))
        return job_id

    async def _claim(self) -> Worker | None:
        try:
            async with self.database.system() as session:
                claim = await claims.claim_next(session, self.bus, Owner.current())
        except DatabaseAwayError:  # it may be ours, and nobody knows: its lease has to tell
            return None
        if claim is None:
            return None
        async with self.database.system(read_only=True) as session:
            job = await session.get_one(Job, claim.job_id)
        assert job.status == JobStatus.PROCESSING
        assert job.fence == claim.fence
        self.promises[job.id].fences.add(claim.fence)
        sink = JobSink(self.database, self.bus, None, claim, job)  # type: ignore[arg-type]
        await sink.load()
        return Worker(claim, sink, self.cut, self.promises[job.id].windows)

    async def _step(self, worker: Worker) -> None:
        """The next thing this worker would do: a window, the end of decoding, or the transcript."""
        if worker.at < worker.windows:
            window = cut_file(worker.cut, worker.windows)[worker.at]
            if await worker.sink.plan(window) is None:
                await worker.sink.started(window)
                await worker.sink.committed(window, said(window, f"cut {worker.cut} window {window.index}"))
            worker.at += 1
        elif not worker.decoded:
            length = cut_file(worker.cut, worker.windows)[-1].end_ms
            await worker.sink.decoded(
                MediaSummary(
                    duration_ms=length,
                    speech_ms=length,
                    sha256="ab" * 32,
                    container="wav",
                    codec="pcm_s16le",
                    sample_rate=16_000,
                    channels=1,
                    has_video=False,
                    windows=worker.windows,
                ),
                None,
            )
            worker.decoded = True
        else:
            await finalize.finalize(self.database, self.bus, worker.claim)

    def _guarded(self, worker: Worker, act: Callable[[], Awaitable[None]]) -> None:
        """A live claim's write succeeds unless a cancel stands against it; a stale one's always fails."""
        live, cancelled = self.run(self._is_live(worker.claim))
        try:
            self.run(act())
        except claims.LostClaimError:
            assert not live or cancelled, "a live claim was refused"
            if not live:
                self.workers.remove(worker)
            return
        assert live, "a stale claim wrote"

    def _ends(self, worker: Worker, how: Callable[[Outcome], Awaitable[None]]) -> None:
        outcome = Outcome(self.database, self.bus, None, worker.claim, worker.sink)
        forgets = self.database.forget_next

        async def end() -> None:
            try:
                await when_back(lambda: how(outcome), what="the end of a run")
            except claims.LostClaimError:
                if not forgets:
                    raise  # else the first try did it, and the second finds nothing of its own left

        self._guarded(worker, end)
        if worker in self.workers:
            self.workers.remove(worker)

    async def _is_live(self, claim: claims.Claim) -> tuple[bool, bool]:
        async with self.calm.system(read_only=True) as session:
            job = await session.get(Job, claim.job_id)
        if job is None:
            return False, False
        live = job.status == JobStatus.PROCESSING and job.fence == claim.fence
        return live, job.cancel_requested_at is not None

    async def _has_window(self, job_id: UUID, index: int) -> bool:
        async with self.calm.system(read_only=True) as session:
            job = await session.get(Job, job_id)
            if job is None:
                return False
            found = await session.get(JobWindow, (job_id, job.run, index))
        return found is not None

    async def _second_transcript(self) -> None:
        async with self.calm.system() as session:
            first = (await session.execute(sa.select(Transcript).limit(1))).scalar_one()
            columns = [column for column in Transcript.__table__.columns if column.key != "id"]
            values = {column.key: getattr(first, column.key) for column in columns}
            await session.execute(sa.insert(Transcript).values(id=new_id(), **values))

    async def _set(self, claim: claims.Claim, **values: Any) -> None:
        async with self.calm.system() as session:
            await session.execute(
                sa.update(Job)
                .where(Job.id == claim.job_id, Job.fence == claim.fence, Job.status == JobStatus.PROCESSING)
                .values(**values)
            )
