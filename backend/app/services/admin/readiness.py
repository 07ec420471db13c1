"""Whether this process can serve: database, migrations, storage, engine, disk. For load balancers, not for restarts."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import AppError
from app.core.logging import get_logger
from app.db.migrations import is_current
from app.db.session import Database
from app.services.jobs.admission import MIN_FREE_BYTES as FLOOR_BYTES
from app.services.jobs.engine_choice import EngineChooser
from app.services.jobs.waiting import NO_WORKER_SECONDS, nobody_works
from app.storage.base import ObjectStore

log = get_logger(__name__)

CHECK_SECONDS = 3.0
MIN_FREE_BYTES = 512 * 1024**2


_NO_WALL = (
    "the login role passes every policy and may not become transcribe_tenant. Let a role without SUPERUSER and "
    "BYPASSRLS own the database, or run `make migrate` as a superuser"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to work; `detail` says what was found."""

    ok: bool
    detail: str


class Readiness:
    """Runs all checks at once, each within 3 s."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        chooser: EngineChooser,
        data_dir: Path,
        *,
        workers_apart: bool = False,
    ) -> None:
        self._database = database
        self._store = store
        self._chooser = chooser
        self._data_dir = data_dir
        self._workers_apart = workers_apart
        self.stopping = False

    async def check(self) -> dict[str, Check]:
        """Name of each check and its outcome."""
        checks: dict[str, Callable[[], Awaitable[str]]] = {
            "database": self._check_database,
            "migrations": self._check_migrations,
            "storage": self._check_storage,
            "engine": self._check_engine,
            "disk": self._check_disk,
        }
        if self._workers_apart:
            checks["workers"] = self._check_workers
        outcomes = await asyncio.gather(*(_guard(check) for check in checks.values()))
        report = dict(zip(checks, outcomes, strict=True))
        if self.stopping:
            report["server"] = Check(False, "The server is stopping.")
        return report

    async def _check_database(self) -> str:
        await self._database.ping()
        if self._database.is_sqlite:
            return "answers"
        wall = await self._database.has_second_wall()
        return "answers; row-level security " + ("stands" if wall else f"does not stand: {_NO_WALL}")

    async def _check_migrations(self) -> str:
        if not await is_current(self._database):
            raise AppError("The database is not at this version's migration. Restart, or run `make migrate`.")
        return "current"

    async def _check_storage(self) -> str:
        await self._store.check()
        return "reads and writes"

    async def _check_engine(self) -> str:
        choice = await self._chooser.choose_for(None, None, "auto")
        if choice.spec is None:
            raise AppError(f"No engine can take a job: {choice.wait_reason}. {choice.why}".rstrip())
        taken = f"{choice.spec.engine} ({choice.spec.model})" if choice.spec.model else choice.spec.engine
        # an operator sees here what a job would see: a damaged model, say
        return f"{taken}. {choice.why}" if choice.reasons else taken

    async def _check_workers(self) -> str:
        """Said, but no reason to keep requests away: what is asked for is kept until somebody works again."""
        if await nobody_works(self._database):
            return (
                f"no worker has taken a job for {NO_WORKER_SECONDS:.0f} s, though some are due: look after "
                "`transcribe worker`, or start one"
            )
        return "no job is left alone"

    async def _check_disk(self) -> str:
        free = (await asyncio.to_thread(shutil.disk_usage, self._data_dir)).free
        if free < MIN_FREE_BYTES:
            raise AppError(
                f"Only {free // 1024**2} MiB are free in {self._data_dir}: make space until there are "
                f"{MIN_FREE_BYTES // 1024**2}. Below {FLOOR_BYTES // 1024**2} MiB no job is begun."
            )
        return f"{free / 1024**3:.1f} GiB free" if free >= 1024**3 else f"{free // 1024**2} MiB free"


async def _guard(check: Callable[[], Awaitable[str]]) -> Check:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return Check(True, await check())
    except TimeoutError:
        return Check(False, f"No answer within {CHECK_SECONDS:.0f} s.")
    except AppError as error:
        return Check(False, error.message)
    except Exception as error:
        log.warning("readiness_check_broke", error=repr(error))
        return Check(False, type(error).__name__)
