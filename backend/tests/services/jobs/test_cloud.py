"""Jobs at providers, with their real SDKs on loopback: nothing lost, nothing sent twice, limits kept, secrets too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.asr.engines.assemblyai import AssemblyAI
from app.asr.engines.openai import OpenAI
from app.asr.host.decoder import Finished, Planned, Probed
from app.asr.remote.breaker import CircuitBreaker
from app.asr.types import EngineSpec, Peaks, Window
from app.core.clock import utcnow
from app.core.config import Settings
from app.core.errors import InvalidInputError
from app.db.session import Database
from app.models import CallState, ExternalCall, Job, JobStatus, Workspace
from app.services.jobs import claims, recovery, waiting
from app.services.jobs.cloud import CloudDesk
from app.services.jobs.cloud_gate import PROVIDERS, CloudGate
from app.services.jobs.engine_choice import EngineChooser
from app.services.jobs.external import CloudLimitError, JobCalls
from app.services.jobs.model_keeper import ModelKeeper
from app.services.jobs.owner import Owner
from app.services.jobs.runner import JobRun
from app.services.jobs.service import JobService
from tests.fixtures.app import build_settings
from tests.fixtures.jobs import add_workspace, read_job
from tests.fixtures.providers import AAI_KEY, OPENAI_KEY, FakeProviders, digest, spoken
from tests.fixtures.runs import Bench, FakeDecoder, FakePool, result_of, texts, windows_of
from tests.unit.asr.test_remote_openai import QUICK

AAI = EngineSpec("assemblyai", "universal-3-5-pro")


class OwnSound(FakeDecoder):
    """Samples that differ by recording and window, so that the fake providers can tell them apart."""

    @asynccontextmanager
    async def open(self, source: Path, *_: Any, **__: Any) -> AsyncIterator[AsyncIterator[Any]]:
        yield self._of(source.read_bytes())

    async def _of(self, content: bytes) -> AsyncIterator[Any]:
        yield Probed(self.summary.duration_ms)
        for window in self.windows:
            yield Planned(window, content * 2 + bytes([window.index, 0]) * 50)
        yield Finished(self.summary, Peaks(16_000, 800, 2, bytes([255, 1, 254, 2])))


class Cloud:
    """A server's runner whose jobs go to the fake providers."""

    def __init__(self, database: Database, folder: Path, settings: Settings, windows: list[Window]) -> None:
        self.database = database
        self.dead = False
        self.runs: list[JobRun] = []
        self.breakers = {name: CircuitBreaker(opens_after=20, pause_seconds=0.2) for name in PROVIDERS}
        self.gate = CloudGate(settings.cloud, database, self.breakers)
        self.desk = CloudDesk(
            database,
            self.gate,
            OpenAI(settings.cloud, self.breakers["openai"], QUICK),
            AssemblyAI(settings.cloud, self.breakers["assemblyai"], QUICK),
            in_flight=2,
            retry_base=0.01,
        )
        keeper = ModelKeeper(folder / "models", "http://127.0.0.1:9", enabled=False)
        self.chooser = EngineChooser(settings, keeper, self.gate)
        self.bench = Bench(
            database,
            folder / "store",
            OwnSound(windows),
            FakePool(lambda window, options: pytest.fail("no engine process should be asked")),
            chooser=self.chooser,  # type: ignore[arg-type]
            extra={"cloud": self.desk},
        )
        self.bench.service = JobService(
            self.bench.bus, ring=lambda: None, interrupt=lambda _: None, gate=self.gate
        )

    async def work(self) -> None:
        """One of many workers: runs until every job has ended."""
        while not self.dead:
            async with self.database.system() as session:
                await session.execute(
                    sa.update(Job)
                    .where(
                        Job.status == JobStatus.PENDING,
                        sa.or_(Job.wait_reason.is_(None), Job.error_code.is_not(None)),
                    )
                    .values(run_after=utcnow())
                )
                claim = await claims.claim_next(session, self.bench.bus, Owner.current())
                left = (
                    await session.execute(
                        sa.select(sa.func.count()).where(
                            Job.status.in_((JobStatus.PENDING, JobStatus.PROCESSING))
                        )
                    )
                ).scalar_one()
            if claim is not None:
                self.runs.append(JobRun(self.bench.parts, claim))
                await self.runs[-1].run()
            elif not left:
                return
            else:  # as the dispatcher does: an open circuit closes again
                await waiting.wake_ready(self.database, self.bench.bus, self.chooser)
            await asyncio.sleep(0.02)

    def die(self) -> None:
        """Work stops where it stands, and nothing is handed back: the rows say that it goes on."""
        self.dead = True
        for run in self.runs:
            run._stop()

    async def take_back(self) -> None:
        """What another life of the server does with jobs of a dead process."""
        async with self.database.system() as session:
            await session.execute(
                sa.update(Job)
                .where(Job.status == JobStatus.PROCESSING)
                .values(lease_expires_at=utcnow() - timedelta(seconds=1))
            )
        await recovery.sweep_expired_leases(self.database, self.bench.bus)

    async def calls(self) -> list[ExternalCall]:
        async with self.database.system(read_only=True) as session:
            return list(
                (await session.execute(sa.select(ExternalCall).order_by(ExternalCall.created_at))).scalars()
            )


MakeCloud = Callable[..., Awaitable[Cloud]]


@pytest.fixture
async def make_cloud(
    database: Database, providers: FakeProviders, tmp_path: Path
) -> AsyncIterator[MakeCloud]:
    """`await make_cloud(windows=..., cloud_daily_limit=3)`: with keys for both providers."""
    made: list[Cloud] = []

    async def make(*, windows: list[Window] | None = None, **changes: Any) -> Cloud:
        settings = build_settings(
            tmp_path,
            **(
                providers.settings
                | {"cloud_daily_limit": 1000, "engines": ("assemblyai", "openai")}
                | changes
            ),
        )
        made.append(Cloud(database, tmp_path, settings, windows or windows_of(20)))
        return made[-1]

    yield make
    for cloud in made:
        await cloud.desk.close()


@pytest.fixture
async def workspace(database: Database) -> UUID:
    return await add_workspace(database)


async def test_no_job_is_lost_and_none_is_submitted_twice(
    make_cloud: MakeCloud, providers: FakeProviders, workspace: UUID, capfd: pytest.CaptureFixture[str]
) -> None:
    """30 % of the requests fail, the provider restarts, and the server dies in the middle and starts again."""
    providers.fault_rate, providers.polls = 0.3, 4
    providers.script = lambda audio, _asked: spoken(
        ("A", f"This is {audio.decode()}.", 100), ("B", "Agreed.", 4_000)
    )
    cloud = await make_cloud(engines=("assemblyai",))
    jobs = {
        await cloud.bench.add(
            workspace, f"talk {n}".encode(), mode="dialogue", engine="assemblyai"
        ): f"talk {n}"
        for n in range(20)
    }
    workers = [asyncio.create_task(cloud.work()) for _ in range(6)]
    while len(providers.transcripts) < 6:  # noqa: ASYNC110 (the fake has no event for it)
        await asyncio.sleep(0.01)
    cloud.die()
    await asyncio.gather(*workers)
    await cloud.desk.close()

    second = await make_cloud(engines=("assemblyai",))
    await second.take_back()
    workers = [asyncio.create_task(second.work()) for _ in range(6)]
    await asyncio.sleep(0.3)
    await providers.stop()
    await asyncio.sleep(0.2)
    await providers.start()
    async with asyncio.timeout(200):
        await asyncio.gather(*workers)

    for job_id, name in jobs.items():
        job = await read_job(second.database, job_id)
        assert (job.status, job.engine, job.model) == ("completed", *_of(AAI)), job.error_message
        result = await result_of(second.database, job_id)
        assert texts(result) == [f"This is {name}.", "Agreed."]
        assert [s["speaker"] for s in result["segments"]] == ["A", "B"]
        assert [(w["start_ms"], w["end_ms"]) for w in result["segments"][1]["words"]] == [(4_000, 4_250)]
    assert {providers.submissions[digest(name.encode())] for name in jobs.values()} == {1}
    assert sum(providers.faults.values()) > 30
    assert len(providers.faults) >= 6
    providers.fault_rate = 0.0
    while await second.desk.cleaner.run_once():
        pass
    assert all(transcript.deleted for transcript in providers.transcripts.values())
    assert {call.state for call in await second.calls()} == {CallState.CLEANED}
    said = "".join(capfd.readouterr()) + repr([vars(call) for call in await second.calls()])
    assert AAI_KEY not in said


def _of(spec: EngineSpec) -> tuple[str, str | None]:
    return spec.engine, spec.model


async def test_windows_at_openai_survive_faults_and_a_restart(
    make_cloud: MakeCloud, providers: FakeProviders, workspace: UUID, capfd: pytest.CaptureFixture[str]
) -> None:
    providers.fault_rate = 0.3
    providers.script = lambda audio, asked: {
        "language": "english",
        "text": asked["prompt"][0],
        "segments": [{"start": 1.0, "end": 2.5, "text": asked["prompt"][0]}],
        "words": [{"word": asked["prompt"][0], "start": 1.0, "end": 2.5}],
    }
    cloud = await make_cloud(windows=windows_of(20, 25, 30))
    jobs = [
        await cloud.bench.add(workspace, bytes([n, 1]) * 9_000, prompt=f"talk{n}", engine="openai")
        for n in range(10)
    ]
    workers = [asyncio.create_task(cloud.work()) for _ in range(4)]
    await asyncio.sleep(0.3)
    await providers.stop()
    await asyncio.sleep(0.2)
    await providers.start()
    async with asyncio.timeout(200):
        await asyncio.gather(*workers)
    for n, job_id in enumerate(jobs):
        job = await read_job(cloud.database, job_id)
        assert (job.status, job.engine, job.windows_executed >= 3) == ("completed", "openai", True), (
            job.error_message
        )
        result = await result_of(cloud.database, job_id)
        assert texts(result) == [f"talk{n}"] * 3
        assert [s["start_ms"] for s in result["segments"]] == [1_000, 21_000, 46_000]
    assert len(providers.submissions) == 30
    kept = [(call.job_id, call.window) for call in await cloud.calls() if call.state == CallState.DONE]
    tries = [(await read_job(cloud.database, job_id)).attempt for job_id in jobs]
    assert set(kept) == {(job_id, window) for job_id in jobs for window in range(3)}
    assert len(kept) - 30 <= sum(n - 1 for n in tries)  # an answer that is here is not asked for again
    assert sum(providers.faults.values()) > 10
    assert OPENAI_KEY not in "".join(capfd.readouterr())


async def test_auto_goes_on_to_the_next_engine_and_says_why(
    make_cloud: MakeCloud, providers: FakeProviders, workspace: UUID
) -> None:
    providers.script = lambda _audio, _asked: {
        "text": "Hello.",
        "segments": [{"start": 0, "end": 1, "text": "Hello."}],
    }
    providers.fail = lambda request: "500" if request.method == "GET" else None
    cloud = await make_cloud()
    job_id = await cloud.bench.add(workspace)
    await cloud.work()
    job = await read_job(cloud.database, job_id)
    assert (job.status, job.engine, job.requested_engine) == ("completed", "openai", None)
    assert job.engine_reasons[0].startswith("assemblyai: assemblyai failed (500)")
    assert AAI_KEY not in str(job.engine_reasons)
    providers.fail = None
    await cloud.desk.cleaner.run_once()
    assert providers.transcripts["t-1"].deleted  # what the first one still had


async def test_a_named_provider_that_fails_is_waited_for(
    make_cloud: MakeCloud, providers: FakeProviders, workspace: UUID
) -> None:
    providers.script = lambda _audio, _asked: spoken(("A", "Hello.", 0))
    providers.fail = lambda _request: "502"
    cloud = await make_cloud()
    job_id = await cloud.bench.add(workspace, engine="assemblyai")
    for _ in range(5):  # more often than an engine's errors would be borne
        await cloud.bench.work(until_final=False)
    job = await read_job(cloud.database, job_id)
    assert (job.status, job.error_code, job.engine_errors) == ("pending", "provider_failed", 0)
    cloud.breakers["assemblyai"].succeeded()
    providers.fail = None
    await cloud.work()
    assert (await read_job(cloud.database, job_id)).status == "completed"
    assert len(await cloud.calls()) == 1
    old = await read_job(cloud.database, job_id)
    old.started_at = utcnow() - timedelta(hours=25)
    from app.asr.remote.errors import timed_out

    assert cloud.desk.pause(old, timed_out("assemblyai")) is None


async def test_a_refusal_ends_the_job_with_the_providers_words(
    make_cloud: MakeCloud, providers: FakeProviders, workspace: UUID
) -> None:
    providers.script = lambda _audio, _asked: {"status": "error", "error": "Audio is too quiet."}
    cloud = await make_cloud()
    job_id = await cloud.bench.add(workspace, engine="assemblyai")
    await cloud.work()
    job = await read_job(cloud.database, job_id)
    assert (job.status, job.error_code) == ("failed", "provider_rejected")
    assert "Audio is too quiet." in (job.error_message or "")
    [call] = await cloud.calls()
    assert (call.state, call.error is not None) == (CallState.FAILED, True)


async def test_cancelling_stops_at_once_and_deletes(
    make_cloud: MakeCloud, providers: FakeProviders, workspace: UUID
) -> None:
    providers.polls = 10_000
    cloud = await make_cloud()
    job_id = await cloud.bench.add(workspace, engine="assemblyai")
    async with cloud.database.system() as session:
        claim = await claims.claim_next(session, cloud.bench.bus, Owner.current())
    assert claim is not None
    run = JobRun(cloud.bench.parts, claim)
    task = asyncio.create_task(run.run())
    while not providers.transcripts:  # noqa: ASYNC110 (the fake has no event for it)
        await asyncio.sleep(0.01)
    async with cloud.database.tenant(workspace) as session:
        await cloud.bench.service.cancel(session, job_id)
    run.interrupt()
    async with asyncio.timeout(1):
        await task
    assert (await read_job(cloud.database, job_id)).status == "cancelled"
    providers.fail = lambda request: "500" if request.method == "DELETE" else None
    await cloud.desk.cleaner.run_once()
    assert not providers.transcripts["t-1"].deleted  # it does not answer: later again
    providers.fail = None
    await cloud.desk.cleaner.run_once()
    assert providers.transcripts["t-1"].deleted
    assert [call.state for call in await cloud.calls()] == [CallState.CLEANED]


async def _claimed(cloud: Cloud, workspace: UUID, n: int) -> JobCalls:
    await cloud.bench.add(workspace, bytes([n]), engine="assemblyai")
    async with cloud.database.system() as session:
        claim = await claims.claim_next(session, cloud.bench.bus, Owner.current())
    assert claim is not None
    return JobCalls(cloud.database, cloud.gate, claim, run=1, spec=AAI)


async def test_row_47_the_limit_of_a_day_holds_for_many_at_once(
    make_cloud: MakeCloud, workspace: UUID
) -> None:
    cloud = await make_cloud(cloud_daily_limit=3)
    runs = [await _claimed(cloud, workspace, n) for n in range(6)]
    outcomes = await asyncio.gather(*(run.begin(0, 60_000) for run in runs), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, CloudLimitError)]
    assert [(error.code, error.retryable) for error in refused] == [("cloud_limit", True)] * 3
    assert len(await cloud.calls()) == 3
    again = next(
        run for run, outcome in zip(runs, outcomes, strict=True) if not isinstance(outcome, Exception)
    )
    await again.begin(0, 60_000)  # the same call, not another one
    assert len(await cloud.calls()) == 3
    found = await cloud.gate.look(workspace)
    assert {name: a.code for name, a in found.items()} == {
        "assemblyai": "cloud_limit",
        "openai": "cloud_limit",
    }
    async with cloud.database.system() as session:
        await session.execute(sa.update(ExternalCall).values(created_at=utcnow() - timedelta(hours=25)))
    assert (await cloud.gate.look(workspace))["assemblyai"].spec == AAI


async def test_row_47_the_spend_of_a_day_is_kept(make_cloud: MakeCloud, workspace: UUID) -> None:
    cloud = await make_cloud(cloud_daily_spend_usd=0.30)  # an hour costs 0.21
    first, second, long = [await _claimed(cloud, workspace, n) for n in range(3)]
    call = await first.begin(0, 3_600_000)
    with pytest.raises(CloudLimitError, match="CLOUD_DAILY_SPEND_USD") as caught:
        await second.begin(0, 3_600_000)
    assert (caught.value.code, caught.value.retryable) == ("cloud_spend_limit", True)
    with pytest.raises(CloudLimitError, match="for a whole day") as caught:
        await long.begin(0, 36_000_000)
    assert not caught.value.retryable
    await first.failed(call, "refused")  # what failed costs nothing
    await second.begin(0, 3_600_000)
    assert [c.cost_micros for c in await cloud.calls()] == [210_000, 210_000]


async def test_a_limit_in_the_middle_waits_with_what_is_there(
    make_cloud: MakeCloud, providers: FakeProviders, workspace: UUID
) -> None:
    providers.script = lambda _audio, _asked: {
        "text": "Hello.",
        "segments": [{"start": 0, "end": 1, "text": "Hello."}],
    }
    cloud = await make_cloud(
        windows=windows_of(20, 25, 30), cloud_daily_limit=2, engines=("openai", "assemblyai")
    )
    job_id = await cloud.bench.add(workspace)
    await cloud.bench.work(until_final=False)
    job = await read_job(cloud.database, job_id)
    assert (job.status, job.error_code, job.windows_committed) == ("pending", "cloud_limit", 2)
    assert job.run_after > utcnow() + timedelta(minutes=10)
    async with cloud.database.system() as session:
        await session.execute(sa.update(ExternalCall).values(created_at=utcnow() - timedelta(hours=25)))
    await cloud.work()
    job = await read_job(cloud.database, job_id)
    assert (job.status, job.engine) == ("completed", "openai")
    assert set(providers.submissions.values()) == {1}


async def test_a_workspace_keeps_its_recordings_here(
    make_cloud: MakeCloud, providers: FakeProviders, workspace: UUID
) -> None:
    cloud = await make_cloud()
    early = await cloud.bench.add(workspace, engine="openai")
    async with cloud.database.system() as session:
        await session.execute(sa.update(Workspace).values(allow_cloud=False))
    with pytest.raises(InvalidInputError, match="keeps its recordings") as caught:
        await cloud.bench.add(workspace, engine="assemblyai")
    assert (caught.value.code, caught.value.field) == ("cloud_forbidden", "engine")
    automatic = await cloud.bench.add(workspace)
    for _ in range(2):
        async with cloud.database.system() as session:
            claim = await claims.claim_next(session, cloud.bench.bus, Owner.current())
        assert claim is not None
        await JobRun(cloud.bench.parts, claim).run()
    for job_id in (early, automatic):
        job = await read_job(cloud.database, job_id)
        assert (job.status, job.wait_reason) == ("pending", "cloud_forbidden")
        assert "openai: this workspace keeps its recordings on this server" in job.engine_reasons
    assert providers.requests == []


async def test_a_workspace_that_changes_its_mind_is_heeded_in_the_middle(
    make_cloud: MakeCloud, providers: FakeProviders, workspace: UUID
) -> None:
    providers.script = lambda _audio, _asked: {
        "text": "Hello.",
        "segments": [{"start": 0, "end": 1, "text": "Hello."}],
    }
    cloud = await make_cloud(windows=windows_of(20, 25, 30))
    job_id = await cloud.bench.add(workspace, engine="openai")
    async with cloud.database.system() as session:
        claim = await claims.claim_next(session, cloud.bench.bus, Owner.current())
    assert claim is not None
    calls = JobCalls(cloud.database, cloud.gate, claim, run=1, spec=EngineSpec("openai", "whisper-1"))
    await calls.begin(0, 20_000)
    async with cloud.database.system() as session:
        await session.execute(sa.update(Workspace).values(allow_cloud=False))
    for window in (0, 1):  # planned before or not: nothing of it has left yet
        with pytest.raises(CloudLimitError, match="keeps its recordings") as caught:
            await calls.begin(window, 20_000)
        assert caught.value.code == "cloud_forbidden"
    await JobRun(cloud.bench.parts, claim).run()
    job = await read_job(cloud.database, job_id)
    assert (job.status, job.wait_reason) == ("pending", "cloud_forbidden")
    assert providers.requests == []


@pytest.mark.parametrize(
    ("changes", "today", "code", "words"),
    [
        (
            {"openai_api_key": "", "openai_base_url": ""},
            "2026-11-21",
            "cloud_not_configured",
            "OPENAI_API_KEY",
        ),
        ({"openai_base_url": ""}, "2027-02-26", "model_retired", "gpt-transcribe"),
        ({"cloud_daily_limit": 0}, "2026-11-21", "cloud_limit", "CLOUD_DAILY_LIMIT is 0"),
    ],
)
async def test_why_a_provider_is_not_asked(
    make_cloud: MakeCloud, workspace: UUID, changes: dict[str, Any], today: str, code: str, words: str
) -> None:
    cloud = await make_cloud(**changes)
    cloud.gate._today = lambda: date.fromisoformat(today)
    found = (await cloud.gate.look(workspace))["openai"]
    assert (found.spec, found.code) == (None, code)
    assert words in (found.reason or "")


async def test_an_open_circuit_is_a_reason_to_wait(make_cloud: MakeCloud, workspace: UUID) -> None:
    cloud = await make_cloud()
    cloud.breakers["openai"] = cloud.gate._breakers["openai"] = CircuitBreaker(
        opens_after=1, pause_seconds=30
    )  # type: ignore[index]
    cloud.breakers["openai"].failed()
    found = await cloud.gate.look(workspace)
    assert (found["openai"].code, found["assemblyai"].code) == ("provider_down", None)
    choice = await cloud.chooser.choose_for("openai", None, "en", workspace_id=workspace)
    assert (choice.spec, choice.wait_reason) == (None, "provider_down")


async def test_a_model_about_to_go_is_warned_of(make_cloud: MakeCloud, workspace: UUID) -> None:
    cloud = await make_cloud(openai_base_url="")
    job_id = await cloud.bench.add(workspace, engine="openai")
    cloud.desk._today = lambda: date(2027, 1, 15)
    async with cloud.database.system() as session:
        claim = await claims.claim_next(session, cloud.bench.bus, Owner.current())
        assert claim is not None
        await claims.guarded(session, claim, {"engine": "openai", "model": "whisper-1"})
    await cloud.desk.note(claim)
    await cloud.desk.note(claim)
    [warning] = (await read_job(cloud.database, job_id)).warnings
    assert warning["code"] == "model_retires"
    assert "2027-02-26" in warning["message"]
