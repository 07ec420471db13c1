"""The claim core holds its promises under Hypothesis' hands, on both databases; and the test bites."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from app.models import Job
from app.services.jobs import checkpoints, claims
from tests.chaos.claim_machine import ClaimMachine
from tests.fixtures.postgres import PostgresServer

QUICK = settings(
    max_examples=12,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

MakeDatabase = Callable[[], tuple[str, Callable[[], None]]]


def machine(make: MakeDatabase) -> type[ClaimMachine]:
    return type("Claims", (ClaimMachine,), {"make_database": staticmethod(make)})


@pytest.fixture
def on_sqlite(sqlite_template: Path) -> MakeDatabase:
    def make() -> tuple[str, Callable[[], None]]:
        folder = Path(tempfile.mkdtemp(prefix="transcribe-chaos-"))
        shutil.copyfile(sqlite_template, folder / "transcribe.db")
        return f"sqlite+aiosqlite:///{folder / 'transcribe.db'}", lambda: shutil.rmtree(folder)

    return make


@pytest.fixture
def on_postgres(postgres_server: PostgresServer, postgres_template: str) -> MakeDatabase:
    def make() -> tuple[str, Callable[[], None]]:
        name = postgres_server.create(postgres_template)
        return postgres_server.url(name), lambda: postgres_server.drop(name)

    return make


def test_claims_on_sqlite(on_sqlite: MakeDatabase) -> None:
    run_state_machine_as_test(machine(on_sqlite), settings=QUICK)


def test_claims_on_postgres(on_postgres: MakeDatabase) -> None:
    run_state_machine_as_test(machine(on_postgres), settings=settings(QUICK, max_examples=8))


# Stories in which one guard alone stands between a late writer and harm. With the guard the machine's own checks pass;
# without it they must fail, or a green run above would mean nothing.


def _late_writer(machine: ClaimMachine) -> None:
    machine.create(0, 2)
    machine.claim()
    machine.sleeps_past_its_lease(0)
    machine.sweep()
    machine.time_passes()
    machine.claim()
    machine.step(0)  # the first worker wakes up


def _update_in_the_middle(machine: ClaimMachine) -> None:
    machine.create(0, 2)
    machine.claim()
    machine.step(0)
    machine.ends_early(0, "released")
    machine.another_version_cuts_differently()
    for _ in range(8):  # its plan is refused, and the job starts over; then it goes to its end
        machine.time_passes()
        machine.claim()
        for _ in range(4):
            if machine.workers:
                machine.step(0)
            machine.rows_agree()


def _two_transcripts(machine: ClaimMachine) -> None:
    machine.create(0, 1)
    machine.claim()
    for _ in range(3):
        machine.step(0)
    machine.rows_agree()
    machine.writes_a_second_transcript()


def _no_fence(monkeypatch: pytest.MonkeyPatch, _: ClaimMachine) -> None:
    real = claims._update

    async def update(session: Any, where: list[Any], values: dict[str, Any]) -> Job | None:
        unfenced = [c for c in where if not (isinstance(c, sa.BinaryExpression) and c.left.key == "fence")]
        return await real(session, unfenced, values)

    monkeypatch.setattr(claims, "_update", update)


def _no_plan_pin(monkeypatch: pytest.MonkeyPatch, _: ClaimMachine) -> None:
    monkeypatch.setattr(checkpoints, "check_same", lambda *_: None)


def _no_unique_transcript(_: pytest.MonkeyPatch, machine: ClaimMachine) -> None:
    async def drop() -> None:
        async with machine.database.engine.begin() as connection:
            name = "uq_transcripts_job_id_run"
            if connection.dialect.name == "postgresql":
                await connection.execute(sa.text(f"ALTER TABLE transcripts DROP CONSTRAINT {name}"))
                return
            table = (
                await connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE name = 'transcripts'"))
            ).scalar_one()
            without = table.replace(f", \n\tCONSTRAINT {name} UNIQUE (job_id, run)", "")
            assert without != table
            await connection.execute(sa.text("ALTER TABLE transcripts RENAME TO old"))
            await connection.execute(sa.text(without.replace('"transcripts"', "transcripts")))
            await connection.execute(sa.text("DROP TABLE old"))

    machine.run(drop())


STORIES = {
    "fence": (_late_writer, _no_fence),
    "plan_pin": (_update_in_the_middle, _no_plan_pin),
    "unique_transcript": (_two_transcripts, _no_unique_transcript),
}


def _play(story: Callable[[ClaimMachine], None], machine: ClaimMachine) -> None:
    story(machine)
    machine.rows_agree()


@pytest.mark.parametrize("guard", STORIES)
@pytest.mark.parametrize("kind", ["on_sqlite", "on_postgres"])
def test_each_guard_is_needed(
    guard: str, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, remove = STORIES[guard]
    make: MakeDatabase = request.getfixturevalue(kind)
    for guarded in (True, False):
        played = machine(make)()
        played.two_workspaces()
        try:
            if guarded:
                _play(story, played)
                continue
            remove(monkeypatch, played)
            with pytest.raises((AssertionError, sa.exc.SQLAlchemyError)):
                _play(story, played)
        finally:
            played.teardown()
