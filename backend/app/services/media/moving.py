"""All objects that the database names, from one store to another: each verified by its bytes, none lost on the way."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

from app.core.errors import AppError, NotFoundError, UnavailableError
from app.db.session import Database
from app.models import MediaFile, Transcript
from app.storage.base import ObjectStore

_BATCH = 500
_FILE_COLUMNS = (
    MediaFile.storage_key,
    MediaFile.rendition_key,
    MediaFile.peaks_key,
    MediaFile.thumbnail_key,
)
_TEXT_COLUMNS = (Transcript.text_key, Transcript.json_key)


@dataclass(slots=True)
class Moved:
    """What a run did. `missing` are keys that the source does not have (any more)."""

    copied: int = 0
    kept: int = 0
    deleted: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Ledger:
    """Keys that are verified already, a line each: what a run that was interrupted need not read again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self._sizes = {
            key: int(size) for key, _, size in (line.rpartition(" ") for line in lines) if size.isdigit()
        }

    def beyond(self, named: set[str]) -> set[str]:
        """Keys that were copied once and are not among `named`."""
        return self._sizes.keys() - named

    def knows(self, key: str, size: int) -> bool:
        return self._sizes.get(key) == size

    def note(self, key: str, size: int) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{key} {size}\n")
        self._sizes[key] = size


class ObjectMove:
    """Copies objects. Safe beside a running server: sealed objects never change, and the few that do (texts, after a
    speaker was renamed) are compared by their bytes every time."""

    def __init__(
        self,
        database: Database,
        source: ObjectStore,
        target: ObjectStore,
        ledger: Ledger,
        *,
        target_is_live: bool,
    ) -> None:
        """`target_is_live`: the server works on the target already, so its texts are the newer ones."""
        self._database = database
        self._source, self._target = source, target
        self._ledger, self._live = ledger, target_is_live

    async def run(self, *, delete_source: bool, told: Callable[[str], None]) -> Moved:
        """`delete_source` compares every object by its bytes in this very run before it goes."""
        moved, named = Moved(), set[str]()
        async for key, is_text in self._keys():
            named.add(key)
            try:
                here = await self._move(key, moved, is_text=is_text, careful=is_text or delete_source)
                if delete_source and here:
                    await self._source.delete(key)
                    moved.deleted += 1
            except NotFoundError:
                moved.missing.append(key)
            except AppError as error:
                moved.failed.append(key)
                told(f"{key}: {error.message}")
        for key in self._ledger.beyond(named):  # deleted by somebody since it was copied: for good, here too
            await self._target.delete(key)
        return moved

    async def _move(self, key: str, moved: Moved, *, is_text: bool, careful: bool) -> bool:
        """Answers whether the source (still) has it, besides the target."""
        size = await self._size(self._source, key)
        there = await self._size(self._target, key)
        if size is None and there is None:
            raise NotFoundError
        if size is None or (self._live and is_text and there is not None):
            moved.kept += 1  # moved and deleted by an earlier run, or written anew by the server
            return size is not None
        known = there == size and not careful and self._ledger.knows(key, size)
        if known or (there == size and await digest(self._source, key) == await digest(self._target, key)):
            moved.kept += 1
        else:
            await self._copy(key, size)
            moved.copied += 1
            moved.bytes += size
        if not known:
            self._ledger.note(key, size)
        return True

    async def _copy(self, key: str, size: int) -> None:
        seen = hashlib.sha256()

        async def passing() -> AsyncIterator[bytes]:
            async for block in self._source.read(key):
                seen.update(block)
                yield block

        if size:
            await self._target.write(key, passing(), limit=size)
        else:
            await self._put_empty(key)
        if await self._target.size(key) != size or await digest(self._target, key) != seen.hexdigest():
            await self._target.delete(key)
            raise UnavailableError("The copy is not the original; it was removed again.")

    async def _put_empty(self, key: str) -> None:
        """The text of a recording in which nobody speaks."""
        empty = self._target.scratch_dir() / f"{uuid4().hex}.tmp"
        await asyncio.to_thread(empty.touch)
        await self._target.put_file(key, empty)

    async def _size(self, store: ObjectStore, key: str) -> int | None:
        try:
            return await store.size(key)
        except NotFoundError:
            return None

    async def _keys(self) -> AsyncIterator[tuple[str, bool]]:
        """Each key with whether it is a text; a page at a time, so that nothing is held over the long copies."""
        for model, columns in ((MediaFile, _FILE_COLUMNS), (Transcript, _TEXT_COLUMNS)):
            last = None
            while True:
                query = sa.select(model.id, *columns).order_by(model.id).limit(_BATCH)
                async with self._database.system(read_only=True) as session:
                    rows = (
                        await session.execute(query if last is None else query.where(model.id > last))
                    ).all()
                if not rows:
                    break
                last = rows[-1][0]
                for row in rows:
                    for key in row[1:]:
                        if key:
                            yield key, model is Transcript


async def digest(store: ObjectStore, key: str) -> str:
    """SHA-256 of the object as the store gives it back."""
    seen = hashlib.sha256()
    async for block in store.read(key):
        seen.update(block)
    return seen.hexdigest()
