"""What was heard of the speech: kept with each window, told with the transcript, never a plain end with gaps."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.asr.host.pool import EngineHung
from app.asr.types import Notice, Window, WindowOptions, WindowResult
from app.db.session import Database
from app.models import Job, JobStatus, JobWindow, MediaFile, Transcript
from app.services.jobs.views import job_view
from app.services.media.files import Files
from app.services.media.intake import Intake
from tests.fixtures.jobs import add_workspace, read_job
from tests.fixtures.runs import Bench, FakeDecoder, FakePool, result_of, said, texts, windows_of

HOLE = (12_000, 18_000)


def with_hole(window: Window, _: WindowOptions) -> WindowResult:
    """Every window is heard, but for six seconds of the second."""
    if window.index != 1:
        return said(window, f"part {window.index}")
    return said(window, "part 1", covered_ms=window.duration_ms - 6000, gaps=(HOLE,))


def bench(database: Database, tmp_path: Path, hear: object = with_hole, **summary: object) -> Bench:
    return Bench(
        database,
        tmp_path / "store",
        FakeDecoder(windows_of(10, 10, 10), **summary),
        FakePool(hear),  # type: ignore[arg-type]
    )


async def rows(database: Database, job_id: UUID) -> list[JobWindow]:
    async with database.system(read_only=True) as session:
        found = await session.execute(
            sa.select(JobWindow).where(JobWindow.job_id == job_id).order_by(JobWindow.idx)
        )
        return list(found.scalars())


async def test_gaps_are_kept_with_windows_and_told_with_job_and_result(
    database: Database, tmp_path: Path
) -> None:
    server = bench(database, tmp_path, notices=(Notice("media_truncated", "The file is cut."),))
    job_id = await server.add(await add_workspace(database))
    await server.work()
    windows = await rows(database, job_id)
    assert [(w.covered_ms, w.gaps, w.error_code) for w in windows] == [
        (10_000, [], None),
        (4000, [list(HOLE)], None),
        (10_000, [], None),
    ]
    view = job_view(await read_job(database, job_id))
    assert view["status"] == JobStatus.COMPLETED
    assert (view["speech_ms"], view["covered_ms"]) == (30_000, 24_000)
    assert view["gaps"] == [{"start_ms": 12_000, "end_ms": 18_000}]
    assert [w["code"] for w in view["warnings"]] == ["media_truncated", "gaps"]
    result = await result_of(database, job_id)
    for key in ("speech_ms", "covered_ms", "gaps", "warnings"):
        assert result[key] == view[key]
    async with database.system(read_only=True) as session:
        transcript = (await session.execute(sa.select(Transcript))).scalar_one()
        job = await session.get_one(Job, job_id)
    assert transcript.fingerprint == job.plan_fingerprint
    assert transcript.media_sha256 == "ab" * 32


async def test_a_resume_remembers_what_windows_lacked(database: Database, tmp_path: Path) -> None:
    lost = True

    def hear(window: Window, options: WindowOptions) -> WindowResult:
        if window.index == 2 and lost:
            raise ConnectionError("away")
        return with_hole(window, options)

    server = bench(database, tmp_path, hear)
    job_id = await server.add(await add_workspace(database))
    await server.work(until_final=False)
    assert (await read_job(database, job_id)).status == JobStatus.PENDING
    lost = False
    await server.work()
    job = await read_job(database, job_id)
    assert (job.status, job.covered_ms, job.gaps) == (JobStatus.COMPLETED, 24_000, [list(HOLE)])


async def test_channels_are_merged_by_time_and_their_gaps_are_one_list(
    database: Database, tmp_path: Path
) -> None:
    left = windows_of(28, 28, channel=0)
    right = windows_of(20, 20, 16, channel=1)
    plan = [
        Window(n, w.start_ms, w.end_ms, w.speech, channel=w.channel)
        for n, w in enumerate(sorted([*left, *right], key=lambda w: w.end_ms))
    ]

    def hear(window: Window, _: WindowOptions) -> WindowResult:
        gap = (window.start_ms + 1000, window.start_ms + 5000)
        return said(window, f"{window.channel}", covered_ms=window.duration_ms - 4000, gaps=(gap,))

    server = bench(database, tmp_path, hear)
    server.decoder = FakeDecoder(plan)
    job_id = await server.add(await add_workspace(database), mode="dialogue")
    await server.work()
    result = await result_of(database, job_id)
    starts = [s["start_ms"] for s in result["segments"]]
    assert starts == sorted(starts) == [0, 0, 20_000, 28_000, 40_000]
    assert [s["speaker"] for s in result["segments"]] == ["right", "left", "right", "left", "right"]
    assert [(g["start_ms"] // 1000, g["end_ms"] // 1000) for g in result["gaps"]] == [
        (1, 5),
        (21, 25),
        (29, 33),
        (41, 45),
    ]
    job = await read_job(database, job_id)
    assert (job.speech_ms, job.covered_ms) == (112_000, 112_000 - 5 * 4000)
    assert (job.speaker_state, [w["code"] for w in job.warnings]) == ("done", ["gaps"])
    partial = await result_of(database, job_id, partial=True)
    assert partial["segments"] == result["segments"]


async def test_a_window_that_is_never_finished_is_a_gap_and_the_rest_is_delivered(
    database: Database, tmp_path: Path
) -> None:
    def hear(window: Window, options: WindowOptions) -> WindowResult:
        if window.index == 1:
            raise EngineHung(300, window.index)
        return said(window, f"part {window.index}")

    server = bench(database, tmp_path, hear)
    job_id = await server.add(await add_workspace(database))
    await server.work()
    job = await read_job(database, job_id)
    assert (job.status, job.gaps) == (JobStatus.COMPLETED, [[10_000, 20_000]])
    assert (job.windows_planned, job.windows_committed, job.windows_executed) == (3, 3, 4)
    assert [w["code"] for w in job.warnings] == ["gaps"]
    assert [o.attempt for index, o in server.pool.asked if index == 1] == [0, 1]
    assert [w.error_code for w in await rows(database, job_id)] == [None, "engine_timeout", None]
    assert texts(await result_of(database, job_id)) == ["part 0", "part 2"]


async def test_a_window_that_is_finished_at_the_second_try_is_no_gap(
    database: Database, tmp_path: Path
) -> None:
    def hear(window: Window, options: WindowOptions) -> WindowResult:
        if options.attempt == 0:
            raise EngineHung(300, window.index)
        return said(window, f"part {window.index}")

    server = bench(database, tmp_path, hear)
    job_id = await server.add(await add_workspace(database))
    await server.work()
    job = await read_job(database, job_id)
    assert (job.status, job.gaps, job.warnings) == (JobStatus.COMPLETED, [], [])


@pytest.mark.parametrize("lengths", [(10,), (10,) * 5])
async def test_an_engine_that_never_answers_fails_the_job_soon(
    database: Database, tmp_path: Path, lengths: tuple[int, ...]
) -> None:
    well = False

    def hear(window: Window, _: WindowOptions) -> WindowResult:
        if well:
            return said(window, f"part {window.index}")
        raise EngineHung(300, window.index)

    server = bench(database, tmp_path, hear)
    server.decoder = FakeDecoder(windows_of(*lengths))
    workspace = await add_workspace(database)
    job_id = await server.add(workspace)
    await server.work()
    job = await read_job(database, job_id)
    assert (job.status, job.error_code) == (JobStatus.FAILED, "engine_timeout")
    assert job.windows_executed <= 8
    well = True
    async with database.tenant(workspace) as session:
        await server.service.retry(session, job_id)
    await server.work()
    job = await read_job(database, job_id)
    assert (job.status, job.gaps) == (JobStatus.COMPLETED, [])
    assert job.windows_committed == job.windows_planned == len(lengths)
    assert texts(await result_of(database, job_id)) == [f"part {n}" for n in range(len(lengths))]


async def test_peaks_lie_beside_the_recording(database: Database, tmp_path: Path) -> None:
    server = bench(database, tmp_path)
    workspace = await add_workspace(database)
    job_id = await server.add(workspace)
    await server.work()
    file_id = (await read_job(database, job_id)).file_id
    async with database.system(read_only=True) as session:
        file = await session.get_one(MediaFile, file_id)
    assert file.peaks_key == file.storage_key.replace("original", "peaks")
    intake = Intake(database, server.store, max_bytes=1, ttl=None, wake=lambda: None)  # type: ignore[arg-type]
    async with database.tenant(workspace, read_only=True) as session:
        drawn = json.loads(await Files(intake).peaks(session, file_id))
    assert drawn == {
        "version": 2,
        "channels": 1,
        "sample_rate": 16_000,
        "samples_per_pixel": 800,
        "bits": 8,
        "length": 2,
        "data": [-1, 1, -2, 2],
    }
    again = await server.add_for(workspace, file_id, fresh=True)
    await server.work()
    assert (await read_job(database, again)).status == JobStatus.COMPLETED
