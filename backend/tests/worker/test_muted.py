"""A stretch that the engine leaves out of real speech is told as a gap, and repaired when somebody asks."""

from __future__ import annotations

from pathlib import Path

from app.asr.coverage import assess
from app.asr.host.decoder import Decoder
from app.asr.types import Segment, Window, WindowOptions, WindowResult, Word
from app.db.session import Database
from app.models import JobStatus
from tests.fixtures import speech
from tests.fixtures.jobs import add_workspace, read_job
from tests.fixtures.runs import Bench, FakePool, result_of

MONOLOGUE = Path(speech.__file__).parent / "monologue.flac"
MUTED = (16_000, 26_000)


def with_a_mute(window: Window, options: WindowOptions) -> WindowResult:
    """A word every half second of speech; at the first try none between 16 and 26 s."""
    words = tuple(
        Word("word", at, at + 400, 0.9)
        for start, end in window.speech
        for at in range(start, end - 100, 500)
        if options.attempt or not MUTED[0] <= at < MUTED[1]
    )
    said = tuple(Segment(w.start_ms, w.end_ms, w.text, (w,), 0.9) for w in words)
    return assess(window, WindowResult(said, "en"))


async def test_a_muted_stretch_is_a_gap_until_it_is_repaired(database: Database, tmp_path: Path) -> None:
    server = Bench(database, tmp_path / "store", Decoder(), FakePool(with_a_mute))  # type: ignore[arg-type]
    workspace = await add_workspace(database)
    job_id = await server.add(workspace, MONOLOGUE.read_bytes())
    await server.work()
    job = await read_job(database, job_id)
    assert (job.status, [w["code"] for w in job.warnings]) == (JobStatus.COMPLETED, ["gaps"])
    gaps = (await result_of(database, job_id))["gaps"]
    assert gaps
    assert all(MUTED[0] - 1000 <= g["start_ms"] < g["end_ms"] <= MUTED[1] + 1000 for g in gaps)
    missing = sum(g["end_ms"] - g["start_ms"] for g in gaps)
    assert job.speech_ms is not None
    assert job.covered_ms is not None
    assert 2000 < job.speech_ms - job.covered_ms <= missing + 1000
    async with database.tenant(workspace) as session:
        await server.repairs.gaps(session, job_id, start_ms=gaps[0]["start_ms"], end_ms=gaps[-1]["end_ms"])
    await server.work()
    job = await read_job(database, job_id)
    assert (job.status, job.gaps, job.warnings) == (JobStatus.COMPLETED, [], [])
    assert job.covered_ms == job.speech_ms
