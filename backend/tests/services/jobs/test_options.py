"""What reaches the pipeline: a job's own options and the hints of its own workspace, of nobody else's."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from app.asr.types import Mode, TranscribeOptions, Vad, WindowOptions
from app.core.clock import new_id
from app.db.session import Database
from app.models import Job, MediaFile, Workspace
from app.services.jobs.bus import EventBus
from app.services.jobs.options import Hints, merge_hints, transcribe_options
from app.services.jobs.service import JobOptions, JobService
from tests.fixtures.jobs import read_job
from tests.fixtures.runs import Bench, FakeDecoder, FakePool, said, windows_of


def test_hints_are_merged_once_each_the_workspace_first() -> None:
    workspace = Workspace(name="w", vocabulary=["Straße", "API"], prompt="House style.")
    assert merge_hints(workspace, ["api", "Zuse", "STRASSE"], "A talk.") == Hints(
        ("Straße", "API", "Zuse"), "House style. A talk."
    )
    assert merge_hints(workspace, [], "House style.").prompt == "House style."
    assert merge_hints(Workspace(name="w", vocabulary=[], prompt=""), [], " ") == Hints()


async def add(database: Database, name: str) -> tuple[UUID, UUID]:
    """A workspace with hints that name it, and a file in it."""
    async with database.system() as session:
        workspace = Workspace(
            id=new_id(), name=name, vocabulary=[f"term of {name}"], prompt=f"Style of {name}."
        )
        session.add(workspace)
        await session.flush()
        file = MediaFile(
            id=new_id(),
            workspace_id=workspace.id,
            filename=f"{name}.wav",
            size=1,
            content_type="audio/wav",
            storage_key=f"w/{workspace.id}/f/{new_id()}/original",
        )
        session.add(file)
    return workspace.id, file.id


async def test_no_hint_of_one_workspace_is_in_the_options_of_another(database: Database) -> None:
    service = JobService(EventBus(), ring=lambda: None, interrupt=lambda _: None)
    places = {name: await add(database, name) for name in ("ada", "bob")}
    jobs: list[tuple[str, Job]] = []
    for n in range(6):
        name = ("ada", "bob")[n % 2]
        workspace_id, file_id = places[name]
        async with database.tenant(workspace_id) as session:
            options = JobOptions(
                language="de", mode="dialogue", vad="off", vocabulary=[f"job {n}"], speakers=2
            )
            job = await service.create(session, user_id=None, file_id=file_id, options=options)
        jobs.append((name, job))
    for n, (name, job) in enumerate(jobs):
        assert transcribe_options(await read_job(database, job.id)) == TranscribeOptions(
            language="de",
            mode=Mode.DIALOGUE,
            vad=Vad.OFF,
            vocabulary=(f"term of {name}", f"job {n}"),
            prompt=f"Style of {name}.",
            speakers=2,
        )


async def test_engines_are_told_nothing_of_another_workspace(database: Database, tmp_path: Path) -> None:
    """Jobs of two workspaces in turn on one runner: every call carries its own job's hints and language alone."""
    server = Bench(
        database, tmp_path, FakeDecoder(windows_of(10, 10)), FakePool(lambda window, _: said(window, "text"))
    )
    places = [(await add(database, name), name, code) for name, code in (("ada", "de"), ("bob", "fr"))]
    for _ in range(5):
        for (workspace_id, _), name, code in places:
            await server.add(workspace_id, language=code, vocabulary=[f"job of {name}"])
            await server.work()
            asked, server.pool.asked = server.pool.asked, []
            expected = WindowOptions(
                language=code, vocabulary=(f"term of {name}", f"job of {name}"), prompt=f"Style of {name}."
            )
            assert [options for _, options in asked] == [expected, expected]
