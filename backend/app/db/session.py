"""Database engines and the two kinds of session: tenant (one workspace) and system (all of them)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from app.core.clock import utcnow
from app.core.errors import UnavailableError
from app.core.logging import get_logger
from app.db import away, row_security, sqlite
from app.db.base import Base, TenantMixin

log = get_logger(__name__)

AfterCommit = Callable[[], Awaitable[None] | None]


class _AppSession(AsyncSession):
    """Keeps what has to happen after the commit, and only then."""

    def after_commit(self, action: AfterCommit) -> None:
        """Run `action` once this transaction has committed; a rollback drops it."""
        self.info.setdefault("after_commit", []).append(action)

    async def database_now(self) -> datetime:
        """The database's clock, which all processes share. SQLite has only this machine's."""
        if self.get_bind().dialect.name == "sqlite":
            return utcnow()
        now: datetime = (await self.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
        return now.astimezone(UTC)


class TenantSession(_AppSession):
    """Sees the rows of one workspace only; new tenant rows have to carry its id."""

    @property
    def workspace_id(self) -> UUID:
        workspace_id: UUID = self.info["workspace_id"]
        return workspace_id


class SystemSession(_AppSession):
    """Sees every row: identity, the runner, the sweeper. Never handed to code that serves one tenant."""


def _filter_tenant(state: ORMExecuteState) -> None:
    """The one function that writes the tenant filter, on selects, updates, deletes and lazy loads alike."""
    workspace_id = state.session.info.get("workspace_id")
    if workspace_id is None or state.is_column_load:
        return
    state.statement = state.statement.options(
        with_loader_criteria(
            TenantMixin,
            lambda cls: cls.workspace_id == workspace_id,
            include_aliases=True,
            track_closure_variables=True,
        )
    )


def _refuse_foreign_rows(session: Session, _context: Any, _instances: Any) -> None:
    workspace_id = session.info.get("workspace_id")
    if workspace_id is None:
        return
    for row in session.new:
        if isinstance(row, TenantMixin) and row.workspace_id != workspace_id:
            raise RuntimeError(
                f"a row of another workspace was added to a tenant session: {type(row).__name__}"
            )


class Database:
    """Engines and session factories of one database; built once in the factory.

    SQLite: one writer at a time (BEGIN IMMEDIATE on a pool of one connection, so that writers queue fairly and no
    update is lost) and a second engine for reads. Postgres: one engine for both.
    """

    def __init__(
        self, url: str, *, pool_size: int = 10, slow_ms: int = 0, statement_seconds: float = 0
    ) -> None:
        """`statement_seconds` bounds each statement of a tenant's transaction on Postgres; 0 does not."""
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            self._writer = sqlite.make_engine(
                url, begin="BEGIN IMMEDIATE", pool_size=1, max_overflow=0, pool_timeout=60
            )
            self._reader = sqlite.make_engine(url, begin="BEGIN", pool_size=8, max_overflow=8)
        else:
            self._writer = self._reader = create_async_engine(
                url,
                pool_size=pool_size,
                max_overflow=pool_size,
                pool_timeout=10,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args={"timeout": away.CONNECT_SECONDS},
            )
            away.name_refusals(self._writer)
        if slow_ms:
            for engine in {self._writer, self._reader}:
                _log_slow_queries(engine, slow_ms)
        kinds: tuple[type[_AppSession], ...] = (TenantSession, SystemSession)
        self._wall = wall = None if self.is_sqlite else _SecondWall(statement_seconds)
        self._sessions = {
            (kind, read): _sessionmaker(self._reader if read else self._writer, kind, wall)
            for kind in kinds
            for read in (True, False)
        }

    @property
    def engine(self) -> AsyncEngine:
        return self._writer

    @asynccontextmanager
    async def tenant(self, workspace_id: UUID, *, read_only: bool = False) -> AsyncIterator[TenantSession]:
        """A transaction of one workspace: commits at the end, rolls back on an error."""
        async with self._transaction(TenantSession, read_only, workspace_id) as session:
            yield session  # type: ignore[misc]

    @asynccontextmanager
    async def system(self, *, read_only: bool = False) -> AsyncIterator[SystemSession]:
        """A transaction over all workspaces: commits at the end, rolls back on an error."""
        async with self._transaction(SystemSession, read_only, None) as session:
            yield session  # type: ignore[misc]

    @asynccontextmanager
    async def _transaction(
        self, kind: type[_AppSession], read_only: bool, workspace_id: UUID | None
    ) -> AsyncIterator[_AppSession]:
        async with self._sessions[kind, read_only]() as session:
            if workspace_id is not None:
                session.info["workspace_id"] = workspace_id
            async with session.begin():
                yield session
            for action in session.info.pop("after_commit", ()):
                result = action()
                if result is not None:
                    await result

    def driver_options(self) -> dict[str, Any]:
        """What the driver takes for a connection of its own, outside of the pool (Postgres)."""
        _, options = self._writer.dialect.create_connect_args(self._writer.url)
        return {name: value for name, value in options.items() if not name.startswith("prepared_statement_")}

    async def ping(self) -> None:
        """Raises `UnavailableError` where the database does not answer."""
        try:
            async with self._reader.connect() as connection:
                await connection.execute(sa.text("SELECT 1"))
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise UnavailableError("The database does not answer.") from error

    async def has_second_wall(self) -> bool:
        """Whether row-level security holds tenants apart here: every table has its policy, and none is passed by."""
        if self._wall is None:
            return False
        async with self._reader.connect() as connection:
            wall = await connection.run_sync(self._wall.look)
            tables = [name for name, table in Base.metadata.tables.items() if "workspace_id" in table.columns]
            open_tables = await connection.run_sync(row_security.unprotected, [*tables, "workspaces"])
        return wall.stands and not open_tables

    async def close(self) -> None:
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


class _SecondWall:
    """Tells Postgres at the beginning of each transaction whose it is. Looks at the login role once."""

    def __init__(self, statement_seconds: float) -> None:
        self._statement_seconds = statement_seconds
        self._seen: row_security.Wall | None = None

    def look(self, connection: sa.Connection) -> row_security.Wall:
        if self._seen is None:
            self._seen = row_security.look_at(connection)
        return self._seen or row_security.Wall(bypasses=False, steps_down=False)

    def begin_tenant(
        self, session: Session, transaction: SessionTransaction, connection: sa.Connection
    ) -> None:
        if not transaction.nested:  # a savepoint keeps what its transaction began with
            row_security.begin_tenant(
                connection,
                self.look(connection),
                session.info.get("workspace_id"),
                statement_seconds=self._statement_seconds,
            )

    def begin_system(
        self, _session: Session, transaction: SessionTransaction, connection: sa.Connection
    ) -> None:
        if not transaction.nested:
            row_security.begin_system(connection, self.look(connection))


def _sessionmaker(
    engine: AsyncEngine, kind: type[_AppSession], wall: _SecondWall | None
) -> async_sessionmaker[_AppSession]:
    class Sync(Session):
        """A class of its own, so that the listeners below belong to this kind only."""

    if kind is TenantSession:
        event.listen(Sync, "do_orm_execute", _filter_tenant)
        event.listen(Sync, "before_flush", _refuse_foreign_rows)
    if wall is not None:
        begin = wall.begin_tenant if kind is TenantSession else wall.begin_system
        event.listen(Sync, "after_begin", begin)
    return async_sessionmaker(engine, class_=kind, sync_session_class=Sync, expire_on_commit=False)


def _log_slow_queries(engine: AsyncEngine, slow_ms: int) -> None:
    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def _before(connection: sa.Connection, *_: Any) -> None:
        connection.info["query_began"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def _after(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        took = (time.monotonic() - connection.info.get("query_began", time.monotonic())) * 1000
        if took >= slow_ms:
            log.warning("slow_query", took_ms=round(took), statement=statement[:500])
