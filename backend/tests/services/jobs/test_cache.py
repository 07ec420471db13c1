"""The same bytes with the same options in the same workspace are listened to once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.asr.diarization import Availability, Embedder, Turn
from app.asr.selection import Choice
from app.asr.types import EngineSpec, Window, WindowOptions, WindowResult
from app.db.session import Database
from app.models import Job, JobStatus, MediaFile, Workspace
from app.services.jobs.cache import ResultCache
from app.services.jobs.views import job_view
from app.services.transcripts.names import name_speaker
from tests.fixtures.jobs import add_workspace, read_job
from tests.fixtures.runs import Bench, FakeDecoder, FakePool, result_of, said, windows_of

SOUND = b"sound"
SHA = hashlib.sha256(SOUND).hexdigest()


class Halves:
    """A diarizer that gives each half to one speaker."""

    def look(self) -> Availability:
        return Availability(Embedder("fake"))

    async def diarize(self, *_: Any, **__: Any) -> list[Turn]:
        return [Turn(0, 10_000, "S1"), Turn(10_000, 20_000, "S2")]


def hear(window: Window, _: WindowOptions) -> WindowResult:
    return said(window, f"part {window.index}")


@pytest.fixture
def server(database: Database, tmp_path: Path) -> Bench:
    bench = Bench(database, tmp_path / "store", FakeDecoder(windows_of(10, 10)), FakePool(hear))
    bench.decoder.summary = bench.decoder.summary_of(SHA)
    bench.extra = {"cache": ResultCache(database, bench.bus, bench.store), "diarizer": Halves()}
    return bench


@pytest.fixture
async def workspace(database: Database) -> UUID:
    return await add_workspace(database)


async def finished(server: Bench, workspace: UUID, content: bytes = SOUND, **options: Any) -> Job:
    job_id = await server.add(workspace, content, **options)
    await server.work()
    job = await read_job(server.database, job_id)
    assert job.status == JobStatus.COMPLETED
    return job


async def test_the_second_time_the_text_is_there_at_once(
    server: Bench, workspace: UUID, database: Database
) -> None:
    first = await finished(server, workspace)
    server.pool.take()
    second = await finished(server, workspace)
    assert (server.pool.take(), server.decoder.opened) == ([], 1)
    assert (second.cached_from, first.cached_from) == (first.id, None)
    assert second.transcript_id != first.transcript_id
    assert (second.windows_planned, second.windows_committed, second.windows_executed) == (2, 2, 0)
    same = (
        "language",
        "duration_ms",
        "speech_ms",
        "covered_ms",
        "gaps",
        "warnings",
        "engine",
        "model",
        "progress",
    )
    views = [job_view(job) for job in (first, second)]
    assert [views[0][key] for key in same] == [views[1][key] for key in same]
    results = [await result_of(database, job.id) for job in (first, second)]
    assert results[0] | {"job_id": None} == results[1] | {"job_id": None}
    async with database.system(read_only=True) as session:
        file = await session.get_one(MediaFile, second.file_id)
    assert (file.sha256, file.duration_ms, file.channels) == (SHA, 20_000, 1)
    assert file.peaks_key == file.storage_key.replace("original", "peaks")
    assert (await server.store.local_path(file.peaks_key)).read_bytes().startswith(b'{"version":2')


async def test_a_copy_stands_on_its_own(server: Bench, workspace: UUID, database: Database) -> None:
    first = await finished(server, workspace)
    second = await finished(server, workspace)
    before = await result_of(database, second.id)
    async with database.tenant(workspace) as session:
        await server.service.delete(session, first.id)
    assert await result_of(database, second.id) == before
    third = await finished(server, workspace)
    assert third.cached_from == second.id


async def test_it_is_never_taken_from_another_workspace(
    server: Bench, workspace: UUID, database: Database
) -> None:
    await finished(server, workspace)
    server.pool.take()
    other = await finished(server, await add_workspace(database))
    assert (other.cached_from, server.pool.take()) == (None, [0, 1])


@pytest.mark.parametrize(
    "options",
    [
        {"fresh": True},
        {"language": "de"},
        {"vad": "off"},
        {"vocabulary": ["Zuse"]},
        {"prompt": "Style."},
        {"translate": True},
        {"mode": "dialogue"},
    ],
)
async def test_what_is_asked_otherwise_is_listened_to(
    server: Bench, workspace: UUID, options: dict[str, Any]
) -> None:
    await finished(server, workspace)
    server.pool.take()
    job = await finished(server, workspace, **options)
    assert (job.cached_from, server.pool.take()) == (None, [0, 1])


async def test_other_bytes_models_and_hints_of_the_workspace_are_listened_to(
    server: Bench, workspace: UUID, database: Database
) -> None:
    await finished(server, workspace)
    assert (await finished(server, workspace, b"other")).cached_from is None
    async with database.system() as session:
        await session.execute(sa.update(Workspace).values(vocabulary=["Zuse"]))
    assert (await finished(server, workspace)).cached_from is None
    server.chooser.choice = Choice(EngineSpec("whisper_cpp", "base"))
    assert (await finished(server, workspace)).cached_from is None


async def test_it_can_be_switched_off(server: Bench, workspace: UUID) -> None:
    await finished(server, workspace)
    server.extra["cache"] = None
    assert (await finished(server, workspace)).cached_from is None


async def test_a_retry_listens_again(server: Bench, workspace: UUID, database: Database) -> None:
    await finished(server, workspace)
    job = await finished(server, workspace)
    assert job.cached_from is not None
    server.pool.take()
    async with database.tenant(workspace) as session:
        await server.service.retry(session, job.id)
    await server.work()
    job = await read_job(database, job.id)
    assert (job.status, job.cached_from, server.pool.take()) == (JobStatus.COMPLETED, None, [0, 1])


async def test_a_text_with_gaps_is_not_given_again(server: Bench, workspace: UUID) -> None:
    server.pool.hear = lambda window, _: said(
        window, "half", covered_ms=5000, gaps=((window.start_ms, 5000),)
    )
    await finished(server, workspace)
    server.pool.hear = hear
    job = await finished(server, workspace)
    assert (job.cached_from, job.gaps) == (None, [])
    assert (await finished(server, workspace)).cached_from == job.id


async def test_a_dialogue_is_given_with_its_speakers_and_without_their_names(
    server: Bench, workspace: UUID, database: Database
) -> None:
    first = await finished(server, workspace, mode="dialogue", speakers=2)
    async with database.tenant(workspace) as session:
        await name_speaker(session, first.id, "S1", "Ada")
    second = await finished(server, workspace, mode="dialogue", speakers=2)
    assert (second.cached_from, second.speaker_state) == (first.id, "done")
    speakers = (await result_of(database, second.id))["speakers"]
    assert [(s["id"], s["name"]) for s in speakers] == [("S1", "Speaker 1"), ("S2", "Speaker 2")]
    third = await finished(server, workspace, mode="dialogue", speakers=3)
    assert third.cached_from is None
    # Its speakers can be told apart again, although it was never listened to.
    async with database.tenant(workspace) as session:
        await server.repairs.speakers(session, second.id, speakers=2)
    server.pool.take()
    await server.work()
    again = await read_job(database, second.id)
    assert (again.status, again.speaker_state, server.pool.take()) == (JobStatus.COMPLETED, "done", [])
    assert len((await result_of(database, second.id))["speakers"]) == 2
