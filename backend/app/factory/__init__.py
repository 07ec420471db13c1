"""Composition root: settings in, everything that lives as long as the process out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from functools import partial

from app.asr.engines.assemblyai import AssemblyAI
from app.asr.engines.openai import OpenAI
from app.asr.host.decoder import Decoder
from app.asr.host.pool import EnginePool
from app.asr.host.sizing import plan_processes
from app.asr.limits import MediaLimits
from app.asr.remote.breaker import CircuitBreaker
from app.core.background import Background
from app.core.config import Settings
from app.core.metrics import Metrics
from app.core.passwords import Passwords
from app.core.secrets import load_secret
from app.db.session import Database
from app.factory.container import Container, Role
from app.factory.executors import build_executor
from app.factory.parts import (
    build_accounts,
    build_fetcher,
    build_links,
    build_local_store,
    build_provider_sign_in,
    build_rates,
    build_relay,
    build_s3_store,
    build_sessions,
    build_socket_limit,
    build_store,
    check_settings,
)
from app.factory.webhooks import build_webhooks
from app.services.access_log import EVERY_SECONDS as ACCESS_SECONDS
from app.services.access_log import AccessLog
from app.services.admin.maintenance import Maintenance, Step
from app.services.admin.models import ModelShelf
from app.services.admin.readiness import Readiness
from app.services.admin.removal import WorkspaceRemoval
from app.services.identity.doorkeeper import Doorkeeper
from app.services.identity.idempotency import IdempotencyKeys
from app.services.identity.key_uses import EVERY_SECONDS as KEY_SECONDS
from app.services.identity.key_uses import KeyUses
from app.services.identity.mailer import EVERY_SECONDS as MAIL_SECONDS
from app.services.identity.mailer import MailSender, build_mailer
from app.services.jobs.admission import Room
from app.services.jobs.bulk import BulkJobs
from app.services.jobs.bus import EventBus
from app.services.jobs.cache import ResultCache
from app.services.jobs.cloud import CloudDesk
from app.services.jobs.cloud_gate import PROVIDERS, CloudGate
from app.services.jobs.diarizing import LocalDiarizer
from app.services.jobs.engine_choice import EngineChooser
from app.services.jobs.model_keeper import ModelKeeper
from app.services.jobs.owner import call_this_host
from app.services.jobs.page_reads import SharedPages
from app.services.jobs.patrol import Patrol
from app.services.jobs.repairs import Repairs
from app.services.jobs.resources import Resource
from app.services.jobs.retention import Retention
from app.services.jobs.runner import RunnerParts
from app.services.jobs.service import JobService
from app.services.jobs.shared import SharedReads
from app.services.jobs.sweeper import Sweeper
from app.services.media.files import Files
from app.services.media.intake import Intake
from app.services.media.janitor import expire_uploads, remove_objects, sweep_scratch
from app.services.media.renditions import RenditionWorker
from app.services.media.shared_copies import EVERY_SECONDS as COPY_SECONDS
from app.services.media.shared_copies import SharedCopies
from app.services.media.uploads import Uploads
from app.services.transcripts.archive import EVERY_SECONDS as ARCHIVE_SECONDS
from app.services.transcripts.archive import TextArchive
from app.services.transcripts.grants import JobGrants
from app.services.transcripts.shares import ShareLinks
from app.services.turns import Turns

__all__ = [
    "Container",
    "Role",
    "build_container",
    "build_fetcher",
    "build_local_store",
    "build_s3_store",
    "check_settings",
]


def build_container(
    settings: Settings,
    role: Role = Role.SERVER,
    *,
    resources: Collection[Resource] = tuple(Resource),
    share: int = 1,
    slots: int | None = None,
) -> Container:
    """Everything that lives as long as the process. Opens no connection and starts no process yet.

    A worker takes jobs that need one of `resources`, `slots` at a time where it is not left to the settings; `share` is
    how many processes share this machine's engines.
    """
    database = Database(
        settings.database_url,
        pool_size=settings.database.database_pool_size,
        slow_ms=settings.database.database_slow_ms,
        statement_seconds=settings.database.database_statement_seconds,
    )
    check_settings(settings)
    call_this_host(settings.workers.node_name)
    secret = load_secret(settings)
    sessions = build_sessions(settings, database, secret)
    store = build_store(settings, secret)
    renditions = RenditionWorker(database, store)
    intake = Intake(
        database,
        store,
        max_bytes=settings.storage.max_file_bytes,
        ttl=timedelta(hours=settings.storage.upload_ttl_hours),
        wake=renditions.wake,
    )
    turns = Turns(database)
    archive = Background(
        "archive_texts",
        turns.taken("archive_texts", TextArchive(database, store).run_once),
        every_seconds=ARCHIVE_SECONDS,
    )
    emptying = WorkspaceRemoval(database, store, interrupt=lambda job_id: bus.interrupt(job_id))
    removal = Background(
        "remove_workspaces", turns.taken("remove_workspaces", emptying.run_once), every_seconds=300
    )
    mail = Background(
        "send_mail", MailSender(database, build_mailer(settings)).run_once, every_seconds=MAIL_SECONDS
    )
    identity = build_accounts(settings, database, sessions, secret, mail.wake, removal.wake)
    webhooks = build_webhooks(settings, database, secret, mail.wake)
    oidc = build_provider_sign_in(settings, database, sessions, identity, secret, mail.wake)
    key_uses, access_log = KeyUses(database), AccessLog(database)
    idempotency = IdempotencyKeys(database, secret)
    files = Files(intake)
    copies = SharedCopies(store)
    shared_copies = Background("make_shared_copies", copies.run_once, every_seconds=COPY_SECONDS)
    copies.wake = shared_copies.wake
    bus = EventBus(build_relay(settings, database))
    models = ModelKeeper(
        settings.models_dir, settings.speech.model_base_url, enabled=settings.speech.model_auto_download
    )
    breakers = {name: CircuitBreaker() for name in PROVIDERS}
    gate = CloudGate(settings.cloud, database, breakers)
    chooser = EngineChooser(settings, models, gate)
    cloud = CloudDesk(
        database,
        gate,
        OpenAI(settings.cloud, breakers["openai"]),
        AssemblyAI(settings.cloud, breakers["assemblyai"]),
        in_flight=settings.cloud.cloud_concurrency,
    )
    planned = plan_processes(settings.speech.engine_processes, settings.speech.whisper_model)
    processes = -(-planned // share)  # rounded up: each has at least one
    pool = EnginePool(
        processes,
        window_timeout=settings.speech.engine_window_timeout_seconds,
        idle_seconds=settings.speech.engine_idle_seconds,
    )
    links = build_links(settings, database, bus, intake)
    room = Room(store, settings.server.data_dir)
    limits = MediaLimits(max_audio_seconds=settings.storage.max_audio_seconds)
    parts = RunnerParts(
        database=database,
        bus=bus,
        store=store,
        pool=pool,
        decoder=Decoder(),
        chooser=chooser,
        limits=limits,
        max_in_flight=processes + 1,
        cloud=cloud,
        diarizer=LocalDiarizer(
            settings.speech.diarization_model,
            settings.models_dir,
            max_speakers=settings.speech.max_speakers,
            limits=limits,
        ),
        room=room,
        cache=ResultCache(database, bus, store) if settings.speech.result_cache else None,
        links=links,
        fetch_only=not {Resource.CPU, Resource.NET} & set(resources),
        on_completed=archive.wake,
    )
    workers_apart = settings.workers.executor != "inprocess"
    dispatcher = build_executor(settings, parts, role == Role.WORKER, resources, slots)
    bus.on_interrupt.append(dispatcher.interrupt)
    jobs = JobService(
        bus,
        ring=dispatcher.ring,
        interrupt=bus.interrupt,
        gate=gate,
        check_url=links.check,
        forget=partial(remove_objects, store),
    )
    retention = Retention(database, bus, jobs, files)
    return Container(
        settings=settings,
        role=role,
        database=database,
        metrics=Metrics(),
        rates=build_rates(settings),
        sockets=build_socket_limit(settings),
        secret=secret,
        sessions=sessions,
        identity=identity,
        idempotency=idempotency,
        oidc=oidc,
        store=store,
        uploads=Uploads(intake),
        files=files,
        renditions=renditions,
        bus=bus,
        pages=SharedPages(),
        doorkeeper=Doorkeeper(database),
        patrol=Patrol(database, bus),
        models=models,
        chooser=chooser,
        cloud=cloud,
        shelf=ModelShelf(settings, models, pool, database),
        pool=pool,
        dispatcher=dispatcher,
        sweeper=Sweeper(database, bus, chooser, ring=dispatcher.ring, room=room, workers_apart=workers_apart),
        jobs=jobs,
        links=links,
        repairs=Repairs(bus, ring=dispatcher.ring),
        bulk=BulkJobs(database, jobs, files),
        readiness=Readiness(database, store, chooser, settings.server.data_dir, workers_apart=workers_apart),
        maintenance=Maintenance(
            [
                Step("expire_uploads", lambda: expire_uploads(database, store, ttl=intake.ttl)),
                Step("sweep_scratch", lambda: sweep_scratch(store), shared=False),
                Step("retention", retention.run_once),
                Step("purge_sessions", sessions.purge),
                Step("purge_throttles", identity.throttle.purge),
                Step("purge_idempotency_keys", idempotency.purge),
                webhooks.sweep,
                Step("purge_states", oidc.purge),
            ],
            turns,
        ),
        share_links=ShareLinks(database, Passwords(), secret=secret),
        job_grants=JobGrants(database),
        shared=SharedReads(database, store, jobs, files, copies),
        shared_copies=shared_copies,
        archive=archive,
        removal=removal,
        mail=mail,
        webhooks=webhooks,
        key_uses=key_uses,
        key_notes=Background("note_key_uses", key_uses.flush, every_seconds=KEY_SECONDS),
        access_log=access_log,
        access_notes=Background("note_access", access_log.flush, every_seconds=ACCESS_SECONDS),
    )
