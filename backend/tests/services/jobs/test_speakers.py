"""Who said what: a stage of its own after the text, which may fail, be missing or be asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.asr.diarization import Availability, Embedder, Turn
from app.asr.selection import Choice
from app.asr.types import Segment, Window, WindowOptions, WindowResult, Word
from app.core.clock import utcnow
from app.core.errors import InvalidStateError, JobError, NotFoundError
from app.db.session import Database
from app.models import Job, JobStatus, Speaker
from app.services.jobs import claims, recovery
from app.services.jobs.owner import Owner
from app.services.jobs.runner import JobRun
from app.services.transcripts.names import name_speaker
from tests.fixtures.jobs import add_workspace, read_job
from tests.fixtures.runs import Bench, FakeDecoder, FakePool, result_of, said, windows_of

REASON = "The model is not on this server. Download it."


class FakeDiarizer:
    """Answers with `turns`, or as broken as it is told to be."""

    def __init__(self) -> None:
        self.available = Availability(Embedder("fake"))
        self.turns: list[Turn] | Exception = [Turn(0, 12_000, "S1"), Turn(12_000, 30_000, "S2")]
        self.asked: list[dict[str, Any]] = []

    def look(self) -> Availability:
        return self.available

    async def diarize(
        self, source: Path, regions: Sequence[tuple[int, int]] | None, **options: Any
    ) -> list[Turn]:
        assert source.read_bytes() == b"sound"
        self.asked.append({"regions": regions, **options})
        if isinstance(self.turns, Exception):
            raise self.turns
        return self.turns


def five_words(window: Window, _: WindowOptions) -> WindowResult:
    """A word every two seconds."""
    words = tuple(
        Word(f"{window.index}.{n}", at, at + 1900, 0.9)
        for n, at in enumerate(range(window.start_ms, window.end_ms, 2000))
    )
    text = " ".join(word.text for word in words)
    segment = Segment(window.start_ms, window.end_ms, text, words, 0.9)
    return WindowResult((segment,), "en", covered_ms=window.duration_ms)


@pytest.fixture
def diarizer() -> FakeDiarizer:
    return FakeDiarizer()


@pytest.fixture
def server(database: Database, tmp_path: Path, diarizer: FakeDiarizer) -> Bench:
    return Bench(
        database,
        tmp_path / "store",
        FakeDecoder(windows_of(10, 10, 10)),
        FakePool(five_words),
        extra={"diarizer": diarizer},
    )


@pytest.fixture
async def workspace(database: Database) -> UUID:
    return await add_workspace(database)


async def finished(server: Bench, workspace: UUID, **options: Any) -> UUID:
    job_id = await server.add(workspace, **{"mode": "dialogue"} | options)
    await server.work()
    assert (await read_job(server.database, job_id)).status == JobStatus.COMPLETED
    server.pool.take()
    return job_id


async def again(server: Bench, job_id: UUID, **options: Any) -> None:
    workspace = (await read_job(server.database, job_id)).workspace_id
    async with server.database.tenant(workspace) as session:
        await server.repairs.speakers(session, job_id, **options)
    await server.work()


def who(result: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(segment["text"], segment["speaker"]) for segment in result["segments"]]


async def test_turns_are_laid_over_the_text(server: Bench, workspace: UUID, diarizer: FakeDiarizer) -> None:
    job_id = await finished(server, workspace, speakers=2, max_speakers=3)
    result = await result_of(server.database, job_id)
    assert who(result) == [
        ("0.0 0.1 0.2 0.3 0.4", "S1"),
        ("1.0", "S1"),
        ("1.1 1.2 1.3 1.4", "S2"),
        ("2.0 2.1 2.2 2.3 2.4", "S2"),
    ]
    assert result["speakers"] == [
        {"id": "S1", "label": "Speaker 1", "name": "Speaker 1"},
        {"id": "S2", "label": "Speaker 2", "name": "Speaker 2"},
    ]
    assert len({segment["id"] for segment in result["segments"]}) == 4
    job = await read_job(server.database, job_id)
    assert (job.speaker_state, job.speaker_reason, job.warnings) == ("done", None, [])
    assert diarizer.asked == [
        {
            "regions": [(0, 10_000), (10_000, 20_000), (20_000, 30_000)],
            "embedder": Embedder("fake"),
            "speakers": 2,
            "max_speakers": 3,
        }
    ]


async def test_mono_is_left_alone(server: Bench, workspace: UUID, diarizer: FakeDiarizer) -> None:
    job_id = await finished(server, workspace, mode="mono")
    job = await read_job(server.database, job_id)
    assert (job.speaker_state, job.warnings, diarizer.asked) == ("none", [], [])
    with pytest.raises(InvalidStateError):
        await again(server, job_id)


@pytest.mark.parametrize(
    ("trouble", "state", "reason"),
    [
        (Availability(reason=REASON), "unavailable", REASON),
        (JobError("diarization_failed", "The program broke."), "failed", "The program broke."),
        (ZeroDivisionError("bug"), "failed", "Telling the voices apart broke on our side"),
    ],
)
async def test_text_is_delivered_whatever_happens_to_the_stage(
    server: Bench, workspace: UUID, diarizer: FakeDiarizer, trouble: Any, state: str, reason: str
) -> None:
    good = diarizer.turns
    if isinstance(trouble, Availability):
        diarizer.available = trouble
    else:
        diarizer.turns = trouble
    job_id = await finished(server, workspace)
    result = await result_of(server.database, job_id)
    assert [speaker for _, speaker in who(result)] == [None] * 3
    job = await read_job(server.database, job_id)
    assert job.speaker_state == state
    assert (job.speaker_reason or "").startswith(reason)
    (warning,) = job.warnings
    assert warning["code"] == "no_speakers"
    assert reason in warning["message"]
    # And once it can work, the words are not listened to again.
    diarizer.available, diarizer.turns = Availability(Embedder("fake")), good
    server.chooser.choice = Choice(None, wait_reason="model_missing")
    await again(server, job_id)
    job = await read_job(server.database, job_id)
    assert (job.status, job.speaker_state, job.speaker_reason) == (JobStatus.COMPLETED, "done", None)
    assert job.warnings == []
    assert (server.pool.take(), server.decoder.opened) == ([], 1)
    assert (job.windows_planned, job.windows_committed, job.windows_executed) == (3, 3, 3)
    assert len((await result_of(server.database, job_id))["speakers"]) == 2


async def test_speakers_are_replaced_and_names_stay(
    server: Bench, workspace: UUID, database: Database, diarizer: FakeDiarizer
) -> None:
    job_id = await finished(server, workspace, speakers=2)
    async with database.tenant(workspace) as session:
        view = await name_speaker(session, job_id, "S2", "Ada")
    assert view == {"id": "S2", "label": "Speaker 2", "name": "Ada"}
    diarizer.turns = [Turn(0, 10_000, "S1"), Turn(10_000, 20_000, "S2"), Turn(20_000, 30_000, "S3")]
    await again(server, job_id, max_speakers=5)
    assert [(asked["speakers"], asked["max_speakers"]) for asked in diarizer.asked] == [(2, None), (None, 5)]
    result = await result_of(server.database, job_id)
    assert [speaker for _, speaker in who(result)] == ["S1", "S2", "S3"]
    assert [s["name"] for s in result["speakers"]] == ["Speaker 1", "Ada", "Speaker 3"]


async def test_a_failed_second_try_keeps_the_speakers_of_the_first(
    server: Bench, workspace: UUID, diarizer: FakeDiarizer
) -> None:
    job_id = await finished(server, workspace)
    before = await result_of(server.database, job_id)
    diarizer.turns = JobError("diarization_failed", "The program broke.")
    await again(server, job_id)
    assert await result_of(server.database, job_id) == before
    job = await read_job(server.database, job_id)
    assert (job.speaker_state, job.speaker_reason) == ("failed", "The program broke.")


async def test_speakers_that_came_with_the_text_are_not_told_apart_again(
    server: Bench, workspace: UUID, diarizer: FakeDiarizer
) -> None:
    server.decoder = FakeDecoder(windows_of(10, channel=0) + windows_of(10, channel=1, first=1))
    job_id = await finished(server, workspace)
    result = await result_of(server.database, job_id)
    assert [(s["id"], s["name"]) for s in result["speakers"]] == [("left", "Left"), ("right", "Right")]
    assert diarizer.asked == []
    with pytest.raises(InvalidStateError):
        await again(server, job_id)


async def test_silence_has_no_speakers_to_tell_apart(
    server: Bench, workspace: UUID, diarizer: FakeDiarizer
) -> None:
    server.pool.hear = lambda window, _: said(window, "")
    job_id = await finished(server, workspace)
    job = await read_job(server.database, job_id)
    assert (job.speaker_state, diarizer.asked) == ("done", [])
    assert [w["code"] for w in job.warnings] == ["no_speech"]


async def test_a_repaired_gap_gets_its_speakers_from_the_same_turns(
    server: Bench, workspace: UUID, database: Database, diarizer: FakeDiarizer
) -> None:
    def hear(window: Window, options: WindowOptions) -> WindowResult:
        if window.index == 2 and not options.attempt:
            return said(window, "", covered_ms=0, gaps=((20_000, 30_000),))
        return five_words(window, options)

    server.pool.hear = hear
    job_id = await finished(server, workspace)
    async with database.tenant(workspace) as session:
        await server.repairs.gaps(session, job_id)
    await server.work()
    result = await result_of(database, job_id)
    assert (who(result)[-1], result["gaps"]) == (("2.0 2.1 2.2 2.3 2.4", "S2"), [])
    assert len(diarizer.asked) == 1


async def test_names_come_and_go(server: Bench, workspace: UUID, database: Database) -> None:
    job_id = await finished(server, workspace)
    other = await add_workspace(database)
    for place, speaker, error in ((workspace, "S9", NotFoundError), (other, "S1", NotFoundError)):
        async with database.tenant(place) as session:
            with pytest.raises(error):
                await name_speaker(session, job_id, speaker, "Eve")
    for name, shown in (("Ada", "Ada"), ("Grace", "Grace"), ("", "Speaker 1")):
        async with database.tenant(workspace) as session:
            assert (await name_speaker(session, job_id, "S1", name))["name"] == shown
    async with database.system(read_only=True) as session:
        assert (await session.execute(sa.select(Speaker))).all() == []
    unheard = await server.add(workspace, mode="dialogue")
    async with database.tenant(workspace) as session:
        with pytest.raises(InvalidStateError):
            await name_speaker(session, unheard, "S1", "Ada")


async def test_a_host_that_goes_down_with_the_stage_delivers_the_text_without_it(
    server: Bench, workspace: UUID, database: Database, diarizer: FakeDiarizer
) -> None:
    """The process is killed while voices are told apart, twice; the third time the text comes without speakers."""
    job_id = await server.add(workspace, mode="dialogue")
    hanging = asyncio.Event()

    class Hanging(FakeDiarizer):
        async def diarize(self, *_: Any, **__: Any) -> list[Turn]:
            hanging.set()
            await asyncio.Event().wait()
            return []

    server.extra["diarizer"] = Hanging()
    for loss in range(2):
        hanging.clear()
        async with database.system() as session:
            await session.execute(sa.update(Job).values(run_after=utcnow()))
        async with database.system() as session:
            claim = await claims.claim_next(session, server.bus, Owner.current())
        assert claim is not None
        run = asyncio.create_task(JobRun(server.parts, claim).run())
        await hanging.wait()
        async with database.system() as session:
            past = utcnow() - timedelta(seconds=1)
            await session.execute(sa.update(Job).values(lease_expires_at=past))
        assert await recovery.sweep_expired_leases(database, server.bus) == 1
        assert (await read_job(database, job_id)).host_losses == loss + 1
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    await server.work()
    job = await read_job(database, job_id)
    assert (job.status, job.speaker_state) == (JobStatus.COMPLETED, "failed")
    assert len((await result_of(database, job_id))["segments"]) == 3


async def test_deleting_a_job_takes_its_names(server: Bench, workspace: UUID, database: Database) -> None:
    job_id = await finished(server, workspace)
    async with database.tenant(workspace) as session:
        await name_speaker(session, job_id, "S1", "Ada")
    async with database.tenant(workspace) as session:
        await server.service.delete(session, job_id)
    async with database.system(read_only=True) as session:
        assert (await session.execute(sa.select(Speaker))).all() == []
