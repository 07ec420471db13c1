"""The model folder for the administrator: what is there and in use, fetched, verified, removed."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.asr import models as speech_models
from app.asr.host.pool import EnginePool
from app.asr.models import CatalogueEntry, FileState
from app.asr.types import Stage
from app.core.config import Settings
from app.core.errors import ConflictError, JobError, NotFoundError
from app.db.session import Database
from app.models import Job, JobStatus
from app.services import audit
from app.services.jobs.model_keeper import ModelKeeper

_INVALID = "This file is not the published one. Download the model again; that replaces it."


class ModelShelf:
    """Every model of the catalogue with its file on this server."""

    def __init__(self, settings: Settings, keeper: ModelKeeper, pool: EnginePool, database: Database) -> None:
        self._folder = settings.models_dir
        self._defaults = {settings.speech.whisper_model, settings.speech.diarization_model}
        self._keeper = keeper
        self._pool = pool
        self._database = database

    async def list(self) -> dict[str, Any]:
        """All models, the folder and the room in it (bytes)."""
        busy = await self._busy()
        items = await asyncio.to_thread(lambda: [self._view(e, busy) for e in speech_models.catalogue()])
        free = await asyncio.to_thread(_free_bytes, self._folder)
        return {"items": items, "folder": str(self._folder), "free_bytes": free}

    async def download(self, name: str) -> dict[str, Any]:
        """Begin to fetch a model in the background; one that is being fetched goes on."""
        entry = _entry(name)
        self._keeper.start(name)
        await self._record("model.download_started", name)
        return await self._read(entry)

    async def verify(self, name: str) -> dict[str, Any]:
        """Count the file's hash anew. Jobs that wait for a file that was put here by hand are looked at again."""
        entry = _entry(name)
        if (await self._read(entry))["state"] in (FileState.DOWNLOADING, FileState.ABSENT):
            raise ConflictError(f"{name} is not here yet. Download it first.")
        try:
            await asyncio.to_thread(speech_models.check_again, entry, self._folder)
        except JobError:
            pass  # the file's state and error say so
        else:
            self._keeper.tell()
        return await self._read(entry)

    async def remove(self, name: str) -> None:
        """Remove a model's file; a download of it is called off. Raises ConflictError while it is in use."""
        entry = _entry(name)
        if (await self._read(entry))["in_use"]:
            raise ConflictError(
                f"{name} is in use. Try again when no job works with it and the engine has been idle for a while."
            )
        await self._keeper.cancel(name)
        await asyncio.to_thread(speech_models.remove, entry, self._folder)
        await self._record("model.removed", name)

    async def _record(self, action: str, name: str) -> None:
        async with self._database.system() as session:
            audit.record(session, action, target=("model", name))

    async def _read(self, entry: CatalogueEntry) -> dict[str, Any]:
        busy = await self._busy()
        return await asyncio.to_thread(self._view, entry, busy)

    async def _busy(self) -> set[str]:
        """Names of models that running jobs work with, and paths that engine processes have loaded."""
        running = sa.select(Job.model, Job.stage).where(Job.status == JobStatus.PROCESSING).distinct()
        async with self._database.system(read_only=True) as session:
            rows = (await session.execute(running)).all()
        busy = {model for model, _ in rows if model is not None}
        if any(stage == Stage.DIARIZING for _, stage in rows):
            busy |= {entry.name for entry in speech_models.catalogue() if entry.kind == "speakers"}
        specs = (process.spec for process in self._pool.stats().processes)
        return busy | {spec.model_path for spec in specs if spec is not None and spec.model_path is not None}

    def _view(self, entry: CatalogueEntry, busy: set[str]) -> dict[str, Any]:
        status = speech_models.inspect(entry, self._folder)
        download = self._keeper.state(entry.name)
        state = FileState.DOWNLOADING if download.running else status.state
        error = {FileState.INVALID: _INVALID, FileState.ABSENT: download.error}.get(state)
        path = str((self._folder / entry.file).absolute())
        return {
            "name": entry.name,
            "kind": entry.kind,
            "bytes": entry.bytes,
            "multilingual": entry.multilingual,
            "licence": entry.licence,
            "recommended": entry.recommended,
            "state": state,
            "received_bytes": max(status.received, download.received if download.running else 0),
            "verified_at": status.verified_at,
            "error": error,
            "default": entry.name in self._defaults,
            "in_use": status.held or entry.name in busy or path in busy,
        }


def _entry(name: str) -> CatalogueEntry:
    entry = speech_models.find(name)
    if entry is None:
        raise NotFoundError(f"There is no model named {name}.")
    return entry


def _free_bytes(folder: Path) -> int:
    """Room on the disk that the folder is on, or will be on once it is made."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
