"""Gaps listened to again: only the windows that have them, with the earlier text readable until something better is
there."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.asr.host.pool import EngineHung
from app.asr.selection import Choice
from app.asr.types import EngineSpec, Window, WindowOptions, WindowResult
from app.core.errors import InvalidStateError, JobError, NotFoundError
from app.db.session import Database
from app.models import Job, JobStatus, JobWindow
from tests.fixtures.jobs import add_workspace, read_job
from tests.fixtures.runs import Bench, FakeDecoder, FakePool, result_of, said, texts, windows_of

HOLES = {1: (12_000, 18_000), 3: (31_000, 34_000)}


class Engine:
    """Leaves holes in windows 1 and 3 at the first try; `again(window)` answers from then on."""

    def __init__(self) -> None:
        self.again: Any = lambda window: said(window, f"repaired {window.index}")

    def __call__(self, window: Window, options: WindowOptions) -> WindowResult:
        if options.attempt:
            result: WindowResult = self.again(window)
            return result
        hole = HOLES.get(window.index)
        if hole is None:
            return said(window, f"part {window.index}")
        left = window.duration_ms - (hole[1] - hole[0])
        return said(window, f"part {window.index}", covered_ms=left, gaps=(hole,))


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
async def server(database: Database, tmp_path: Path, engine: Engine) -> Bench:
    return Bench(database, tmp_path / "store", FakeDecoder(windows_of(10, 10, 10, 10, 10)), FakePool(engine))


@pytest.fixture
async def workspace(database: Database) -> UUID:
    return await add_workspace(database)


async def completed(server: Bench, workspace: UUID, **options: Any) -> UUID:
    job_id = await server.add(workspace, **options)
    await server.work()
    assert (await read_job(server.database, job_id)).status == JobStatus.COMPLETED
    server.pool.take()
    return job_id


async def repair(server: Bench, job_id: UUID, **stretch: int) -> Job:
    workspace = (await read_job(server.database, job_id)).workspace_id
    async with server.database.tenant(workspace) as session:
        return await server.repairs.gaps(session, job_id, **stretch)


async def test_all_gaps_are_repaired_and_nothing_else_is_touched(server: Bench, workspace: UUID) -> None:
    job_id = await completed(server, workspace)
    before = await result_of(server.database, job_id)
    assert len(before["gaps"]) == 2
    job = await repair(server, job_id)
    assert (job.status, job.attempt, job.run) == (JobStatus.PENDING, 2, 2)
    assert (job.windows_planned, job.windows_committed, job.windows_executed) == (5, 3, 5)
    await server.work()
    assert server.pool.take() == [1, 3]
    after = await result_of(server.database, job_id)
    assert texts(after) == ["part 0", "repaired 1", "part 2", "repaired 3", "part 4"]
    for n in (0, 2, 4):
        assert after["segments"][n] == before["segments"][n]
    assert (after["gaps"], after["warnings"]) == ([], [])
    assert (after["complete"], after["previous"]) == (True, False)
    job = await read_job(server.database, job_id)
    assert (job.gaps, job.covered_ms, job.speech_ms) == ([], 50_000, 50_000)
    assert (job.windows_planned, job.windows_committed, job.windows_executed) == (5, 5, 7)
    with pytest.raises(InvalidStateError):
        await repair(server, job_id)


@pytest.mark.parametrize(
    ("stretch", "asked"),
    [
        ({"start_ms": 12_000, "end_ms": 18_000}, [1]),
        ({"start_ms": 33_000}, [3]),
        ({"end_ms": 12_001}, [1]),
        ({"start_ms": 0, "end_ms": 50_000}, [1, 3]),
    ],
)
async def test_one_gap_is_repaired(
    server: Bench, workspace: UUID, stretch: dict[str, int], asked: list[int]
) -> None:
    job_id = await completed(server, workspace)
    await repair(server, job_id, **stretch)
    await server.work()
    assert server.pool.take() == asked
    job = await read_job(server.database, job_id)
    assert len(job.gaps) == 2 - len(asked)
    assert [w["code"] for w in job.warnings] == ["gaps"] * (len(asked) == 1)


@pytest.mark.parametrize("stretch", [{"start_ms": 18_000, "end_ms": 31_000}, {"start_ms": 40_000}])
async def test_where_there_is_no_gap_nothing_is_queued(
    server: Bench, workspace: UUID, stretch: dict[str, int]
) -> None:
    job_id = await completed(server, workspace)
    with pytest.raises(InvalidStateError):
        await repair(server, job_id, **stretch)
    job = await read_job(server.database, job_id)
    assert (job.status, job.run, job.windows_committed) == (JobStatus.COMPLETED, 1, 5)


async def test_each_try_is_another_one(server: Bench, workspace: UUID, engine: Engine) -> None:
    engine.again = lambda window: said(window, "", covered_ms=0, gaps=(HOLES[window.index],))
    job_id = await completed(server, workspace)
    for attempt in (1, 2):
        await repair(server, job_id, start_ms=12_000, end_ms=18_000)
        await server.work()
        assert [(index, options.attempt) for index, options in server.pool.asked] == [(1, attempt)]
        server.pool.take()


@pytest.mark.parametrize("outcome", ["less", "the same", "never ends"])
async def test_what_is_not_better_does_not_replace_the_earlier_text(
    server: Bench, workspace: UUID, engine: Engine, outcome: str
) -> None:
    def again(window: Window) -> WindowResult:
        if outcome == "never ends" and window.index == 1:
            raise EngineHung(1, window.index)
        covered = 1000 if outcome == "less" else window.duration_ms - 6000
        return said(window, "worse", covered_ms=covered if window.index == 1 else 10_000)

    engine.again = again
    job_id = await completed(server, workspace)
    before = await result_of(server.database, job_id)
    await repair(server, job_id)
    await server.work()
    after = await result_of(server.database, job_id)
    assert after["segments"][1] == before["segments"][1]
    assert after["gaps"] == before["gaps"][:1]
    assert texts(after)[3] == "worse"  # it covers the whole window
    async with server.database.system(read_only=True) as session:
        window = (await session.execute(sa.select(JobWindow).where(JobWindow.idx == 1))).scalar_one()
    assert (window.error_code, window.reruns) == (None, 1)


async def test_the_earlier_text_is_readable_meanwhile_and_comes_back(
    server: Bench, workspace: UUID, engine: Engine
) -> None:
    job_id = await completed(server, workspace)
    before = await result_of(server.database, job_id)
    seen: list[tuple[bool, list[str]]] = []

    def broken(window: Window) -> WindowResult:
        if window.index == 3:
            raise JobError("engine_failed", "It broke.")
        return said(window, "repaired")

    engine.again = broken
    await repair(server, job_id)
    for _ in range(2):
        meanwhile = await result_of(server.database, job_id, partial=True)
        seen.append((meanwhile["previous"], texts(meanwhile)))
        await server.work(until_final=False)
    assert seen[0] == (True, texts(before))
    job = await read_job(server.database, job_id)
    assert (job.status, job.error_code) == (JobStatus.FAILED, "engine_failed")
    back = await result_of(server.database, job_id)
    assert back == before | {"previous": True}
    with pytest.raises(InvalidStateError):
        await repair(server, job_id)
    # A retry goes on with the repair, not from the start.
    engine.again = lambda window: said(window, f"repaired {window.index}")
    server.pool.take()
    async with server.database.tenant(workspace) as session:
        await server.service.retry(session, job_id)
    await server.work()
    assert set(server.pool.take()) <= {1, 3}
    assert (await result_of(server.database, job_id))["gaps"] == []


async def test_a_cancelled_repair_gives_the_earlier_text_back(server: Bench, workspace: UUID) -> None:
    job_id = await completed(server, workspace)
    before = await result_of(server.database, job_id)
    await repair(server, job_id)
    async with server.database.tenant(workspace) as session:
        await server.service.cancel(session, job_id)
    assert await result_of(server.database, job_id) == before | {"previous": True}


async def test_with_another_engine_everything_is_listened_to_again(server: Bench, workspace: UUID) -> None:
    job_id = await completed(server, workspace)
    server.chooser.choice = Choice(EngineSpec("whisper_cpp", "base"))
    await repair(server, job_id)
    await server.work()
    assert server.pool.take() == [0, 1, 2, 3, 4]
    job = await read_job(server.database, job_id)
    assert (job.model, job.run, job.windows_committed) == ("base", 3, 5)


async def test_strangers_cannot_repair(server: Bench, workspace: UUID, database: Database) -> None:
    job_id = await completed(server, workspace)
    async with database.tenant(await add_workspace(database)) as session:
        with pytest.raises(NotFoundError):
            await server.repairs.gaps(session, job_id)
    assert (await read_job(database, job_id)).run == 1
