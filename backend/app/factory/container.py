"""What lives as long as the process, and how it starts and ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from app.asr.host.pool import EnginePool
from app.core.background import Background
from app.core.concurrency import ConcurrencyLimit
from app.core.config import Settings
from app.core.logging import get_logger
from app.core.metrics import Metrics
from app.core.rates import RateCounter
from app.db.session import Database
from app.factory.webhooks import Webhooks
from app.services.access_log import AccessLog
from app.services.admin.maintenance import Maintenance
from app.services.admin.models import ModelShelf
from app.services.admin.readiness import Readiness
from app.services.identity.accounts import Accounts
from app.services.identity.doorkeeper import Doorkeeper
from app.services.identity.idempotency import IdempotencyKeys
from app.services.identity.key_uses import KeyUses
from app.services.identity.oidc import ProviderSignIn
from app.services.identity.sessions import Sessions
from app.services.jobs.bulk import BulkJobs
from app.services.jobs.bus import EventBus
from app.services.jobs.cloud import CloudDesk
from app.services.jobs.engine_choice import EngineChooser
from app.services.jobs.executor import Executor
from app.services.jobs.fetching import LinkDesk
from app.services.jobs.model_keeper import ModelKeeper
from app.services.jobs.on_call import OnCall
from app.services.jobs.page_reads import SharedPages
from app.services.jobs.patrol import Patrol
from app.services.jobs.repairs import Repairs
from app.services.jobs.service import JobService
from app.services.jobs.shared import SharedReads
from app.services.jobs.sweeper import Sweeper
from app.services.media.files import Files
from app.services.media.renditions import RenditionWorker
from app.services.media.uploads import Uploads
from app.services.transcripts.grants import JobGrants
from app.services.transcripts.shares import ShareLinks
from app.storage.base import ObjectStore

log = get_logger(__name__)


class Role(StrEnum):
    """SERVER answers requests and does the periodic work; WORKER works on jobs and nothing else."""

    SERVER = "server"
    WORKER = "worker"


@dataclass(slots=True)
class Container:
    """Process-wide parts, built once and passed down."""

    settings: Settings
    role: Role
    database: Database
    metrics: Metrics
    rates: RateCounter | None  # None: nothing is counted
    sockets: ConcurrencyLimit  # by account
    secret: bytes = field(repr=False)  # keys come from it through `derive_key`, one a purpose
    sessions: Sessions
    identity: Accounts
    idempotency: IdempotencyKeys
    oidc: ProviderSignIn
    store: ObjectStore
    uploads: Uploads
    files: Files
    renditions: RenditionWorker
    bus: EventBus
    pages: SharedPages
    doorkeeper: Doorkeeper
    patrol: Patrol
    models: ModelKeeper
    chooser: EngineChooser
    cloud: CloudDesk
    shelf: ModelShelf
    pool: EnginePool
    dispatcher: Executor
    sweeper: Sweeper
    jobs: JobService
    links: LinkDesk
    repairs: Repairs
    bulk: BulkJobs
    readiness: Readiness
    maintenance: Maintenance
    share_links: ShareLinks
    job_grants: JobGrants
    shared: SharedReads
    shared_copies: Background
    archive: Background
    removal: Background
    mail: Background
    webhooks: Webhooks
    key_uses: KeyUses
    key_notes: Background
    access_log: AccessLog
    access_notes: Background

    @property
    def _workers(self) -> tuple[Background, ...]:
        if self.role == Role.WORKER:
            return (self.archive,)
        return (
            self.archive,
            self.removal,
            self.mail,
            self.webhooks.work,
            self.key_notes,
            self.access_notes,
            self.shared_copies,
        )

    async def start(self) -> None:
        """Begin to work in the background. Answers at once: recovery and downloads never hold up the start.

        What is begun gets its first turn at the caller's next `await`, so nothing is awaited here after that.
        """
        self.settings.server.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.models.on_change.append(self.sweeper.recheck_waiting)
        if self.settings.speech.transcription_backend in ("auto", "whisper_cpp"):
            await self.chooser.prefetch()
        self.bus.start()
        self.dispatcher.start()
        self.sweeper.start()
        for worker in self._workers:
            worker.start()
        if self.role == Role.SERVER:
            self.patrol.start()
            self.renditions.start()
            self.maintenance.start()
            self.removal.wake()  # what a crash has left
        self.cloud.cleaner.start()

    def on_call(self) -> OnCall:
        """The executor of a process whose jobs are rung for. Raises TypeError in any other."""
        if not isinstance(self.dispatcher, OnCall):
            raise TypeError("this process is not rung up for jobs")
        return self.dispatcher

    def begin_stop(self) -> None:
        """A stop signal has come: not ready any more, streams end, nothing new is claimed."""
        self.readiness.stopping = True
        self.bus.close()
        self.dispatcher.begin_stop()

    async def close(self) -> None:
        """Hand running jobs back and end every process of ours."""
        self.begin_stop()
        await self.dispatcher.stop()
        await asyncio.gather(
            self.maintenance.stop(),
            self.sweeper.stop(),
            *(worker.stop() for worker in self._workers),
            self.renditions.stop(),
            self.models.close(),
            self.pool.close(),
        )
        await self.cloud.close()
        await asyncio.gather(self.bus.stop(), self.doorkeeper.stop(), self.patrol.stop())
        await self._write_notes()
        if self.rates is not None:
            await self.rates.close()
        await self.database.close()

    async def _write_notes(self) -> None:
        """What was noted in memory since the last time; a database that is away must not hold up the stop."""
        for flush in (self.access_log.flush, self.key_uses.flush):
            try:
                await asyncio.wait_for(flush(), 5)
            except Exception as error:
                log.warning("notes_lost", error=repr(error)[:200])
