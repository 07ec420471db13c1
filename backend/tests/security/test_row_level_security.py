"""Row 31, and 54's database half: with the application's filter taken away, Postgres alone keeps tenants apart.

Twice: signed in as the plain owner of the tables, and as a superuser whom no policy holds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import event

import app.db.session as sessions
from app.core.clock import new_id
from app.db import row_security
from app.db.base import Base, TenantMixin
from app.db.session import Database, TenantSession
from app.models import Job, JobStatus, MediaFile, Workspace
from tests.fixtures.jobs import add_job, add_workspace


@dataclass(slots=True)
class Two:
    """Two workspaces with a job each, and a database on whose tenant sessions no filter is."""

    database: Database
    mine: UUID
    theirs: UUID
    my_job: UUID
    their_job: UUID


@pytest.fixture(params=["postgres_url", "superuser_url"])
async def bare(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Two]:
    """The wall alone: both listeners of the application are taken off before the sessions are made."""
    monkeypatch.setattr(sessions, "_filter_tenant", lambda _state: None)
    monkeypatch.setattr(sessions, "_refuse_foreign_rows", lambda *_: None)
    database = Database(request.getfixturevalue(request.param), pool_size=1)
    mine, theirs = await add_workspace(database, "mine"), await add_workspace(database, "theirs")
    yield Two(database, mine, theirs, await add_job(database, mine), await add_job(database, theirs))
    await database.close()


async def names(session: TenantSession) -> list[UUID]:
    return [*(await session.scalars(sa.select(Job.workspace_id)))]


async def test_row_31_the_wall_alone_hides_rows(bare: Two) -> None:
    async with bare.database.tenant(bare.mine, read_only=True) as session:
        assert await names(session) == [bare.mine]
        assert await session.get(Job, bare.their_job) is None
        raw = await session.execute(sa.text("SELECT workspace_id FROM media_files"))
        assert set(raw.scalars()) == {bare.mine}
        assert [*(await session.scalars(sa.select(Workspace.id)))] == [bare.mine]
        counted = await session.scalar(sa.text("SELECT count(*) FROM jobs WHERE filename ILIKE '%talk%'"))
        assert counted == 1  # row 54: what is found and counted is one's own


async def test_row_31_the_wall_alone_holds_a_join(bare: Two) -> None:
    """A row of one's own that points at a stranger's (which no code makes) leads nowhere."""
    async with bare.database.system() as session:
        their_file = await session.scalar(sa.select(Job.file_id).where(Job.id == bare.their_job))
        await session.execute(sa.update(Job).where(Job.id == bare.my_job).values(file_id=their_file))
    async with bare.database.tenant(bare.mine, read_only=True) as session:
        joined = sa.select(MediaFile.filename).join(Job, Job.file_id == MediaFile.id)
        assert [*(await session.scalars(joined))] == []


async def test_row_31_the_wall_alone_refuses_changes(bare: Two) -> None:
    async with bare.database.tenant(bare.mine) as session:
        changed = await session.execute(sa.update(Job).values(filename="taken").returning(Job.id))
        assert [*changed.scalars()] == [bare.my_job]
        gone = await session.execute(sa.delete(Job).where(Job.id == bare.their_job).returning(Job.id))
        assert [*gone.scalars()] == []
    async with bare.database.system(read_only=True) as session:
        theirs = await session.get_one(Job, bare.their_job)
        assert (theirs.filename, theirs.status) == ("talk.wav", JobStatus.PENDING)


async def test_row_31_the_wall_alone_refuses_foreign_rows(bare: Two) -> None:
    """Neither a new row of another workspace, nor one's own row handed over to it."""
    with pytest.raises(sa.exc.DBAPIError, match="row-level security"):
        async with bare.database.tenant(bare.mine) as session:
            session.add(
                MediaFile(
                    workspace_id=bare.theirs,
                    filename="x",
                    size=1,
                    content_type="audio/wav",
                    storage_key=str(new_id()),
                )
            )
    with pytest.raises(sa.exc.DBAPIError, match="row-level security"):
        async with bare.database.tenant(bare.mine) as session:
            await session.execute(sa.update(Job).values(workspace_id=bare.theirs))


async def test_row_31_the_next_user_of_a_connection_sees_nothing_of_it(bare: Two) -> None:
    """The pool has one connection: tenant, stranger, nobody and system take turns on it."""
    for workspace_id in (bare.mine, bare.theirs, bare.mine):
        async with bare.database.tenant(workspace_id, read_only=True) as session:
            assert await names(session) == [workspace_id]
    async with bare.database.system(read_only=True) as session:
        assert len([*(await session.scalars(sa.select(Job.id)))]) == 2
    async with bare.database.tenant(new_id(), read_only=True) as session:
        assert await names(session) == []
    async with bare.database._sessions[TenantSession, True]() as session:
        assert isinstance(session, TenantSession)
        assert await names(session) == []  # of nobody


async def test_row_31_the_wall_is_up_again_after_commit_rollback_and_savepoints(bare: Two) -> None:
    async with bare.database._sessions[TenantSession, False]() as session:
        session.info["workspace_id"] = bare.mine
        assert isinstance(session, TenantSession)
        for end in (session.commit, session.rollback, session.commit):
            assert await names(session) == [bare.mine]
            inner = await session.begin_nested()
            assert await names(session) == [bare.mine]
            await inner.rollback()
            assert await names(session) == [bare.mine]
            await end()
        async with session.begin_nested():
            assert await names(session) == [bare.mine]  # the savepoint is its first statement


async def test_without_a_session_of_ours_the_plain_owner_sees_nothing(postgres_url: str) -> None:
    database = Database(postgres_url)
    try:
        await add_job(database, await add_workspace(database))
        async with database.engine.connect() as connection:
            assert (await connection.execute(sa.text("SELECT count(*) FROM jobs"))).scalar() == 0
    finally:
        await database.close()


async def test_a_tenant_of_a_superuser_cannot_call_itself_the_system(superuser_url: str) -> None:
    database = Database(superuser_url)
    try:
        mine = await add_workspace(database)
        await add_job(database, await add_workspace(database))
        async with database.tenant(mine) as session:
            await session.execute(sa.text("SELECT set_config('app.system', 'on', true)"))
            assert (await session.execute(sa.text("SELECT count(*) FROM jobs"))).scalar() == 0
    finally:
        await database.close()


@pytest.mark.parametrize("url", ["postgres_url", "superuser_url", "sqlite_url"])
async def test_whether_the_wall_stands_is_told(url: str, request: pytest.FixtureRequest) -> None:
    database = Database(request.getfixturevalue(url))
    try:
        assert await database.has_second_wall() == (url != "sqlite_url")
        if url == "postgres_url":
            async with database.engine.begin() as connection:
                await connection.execute(sa.text("ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY"))
            assert not await database.has_second_wall()
    finally:
        await database.close()


async def test_one_statement_a_transaction(superuser_url: str) -> None:
    """The whole price, besides looking at the login role once a process."""
    database = Database(superuser_url)
    said: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    try:
        for _ in range(2):
            said.clear()
            async with database.tenant(new_id(), read_only=True) as session:
                await session.execute(sa.select(Job.id))
                await session.execute(sa.select(Job.id))
        assert ["set_config" in statement for statement in said] == [True, False, False]
    finally:
        await database.close()


async def test_every_table_of_a_tenant_has_a_policy(postgres_url: str) -> None:
    """A new table with TenantMixin needs `row_security.protect` in its migration."""
    tables = [
        mapper.class_.__tablename__
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, TenantMixin)
    ]
    database = Database(postgres_url)
    try:
        async with database.engine.connect() as connection:
            await connection.execute(sa.text("CREATE TABLE invented (workspace_id uuid)"))
            found = await connection.run_sync(row_security.unprotected, [*tables, "workspaces", "invented"])
    finally:
        await database.close()
    assert "jobs" in tables
    assert found == ["invented"]
