"""What guests hear: a copy of the sound alone, without tags, pictures or anything else the file tells about its owner.

Made in the background when something is shared, kept beside the recording and deleted with it. A version that was
made for browsers has nothing else in it either, and serves as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from app.asr.rendition import make_clean_copy
from app.core.errors import AppError, JobError, NotFoundError
from app.core.logging import get_logger
from app.models import MediaFile, RenditionState
from app.storage.base import ObjectStore
from app.storage.keys import sibling_key

log = get_logger(__name__)

EVERY_SECONDS = 60.0
KIND = "shared"
CONTENT_TYPE = "audio/mp4"
_ATTEMPTS = 2
_KNOWN = 10_000


class MediaPendingError(AppError):
    """The copy for guests is being made; `retry_after` says when to ask again."""

    status, code = 409, "media_pending"


class NoSharedMediaError(AppError):
    """There is no sound to hand out."""

    status, code = 409, "media_unavailable"


@dataclass(frozen=True, slots=True)
class CleanCopy:
    """Where the copy is."""

    key: str
    content_type: str


class SharedCopies:
    """Rows know nothing of copies: the store has one or has not, and whoever asks for a missing one orders it again,
    after a restart too. `wake` rings the background loop that calls `run_once`."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        render: Callable[[Path, Path], Awaitable[None]] = make_clean_copy,
    ) -> None:
        self._store, self._render = store, render
        self._wanted: dict[UUID, str] = {}
        self._failures: dict[UUID, int] = {}
        self._there: dict[UUID, None] = {}
        self.wake: Callable[[], None] = lambda: None

    def order(self, file: MediaFile) -> None:
        """Have it made soon, unless it is there."""
        if file.id not in self._there and not _serves_already(file):
            self._wanted.setdefault(file.id, file.storage_key)
            self.wake()

    async def find(self, file: MediaFile) -> CleanCopy:
        """Raises `MediaPendingError` while it is made, `NoSharedMediaError` where it cannot be."""
        if _serves_already(file):
            return CleanCopy(file.rendition_key or "", file.rendition_content_type or CONTENT_TYPE)
        if file.id in self._there or await self._exists(file.storage_key):
            self._know(file.id)
            return CleanCopy(sibling_key(file.storage_key, KIND), CONTENT_TYPE)
        if self._failures.get(file.id, 0) >= _ATTEMPTS:
            raise NoSharedMediaError("This recording cannot be played to guests.")
        self.order(file)
        raise MediaPendingError("The recording is being prepared for guests.", retry_after=2)

    async def run_once(self) -> int:
        """Make what was ordered, one at a time; answers how many."""
        made = 0
        while self._wanted:
            file_id, storage_key = next(iter(self._wanted.items()))
            try:
                if not await self._exists(storage_key):
                    await self._make(storage_key)
                self._know(file_id)
                made += 1
            except (AppError, OSError) as error:
                final = isinstance(error, JobError | NotFoundError)
                self._failures[file_id] = self._failures.get(file_id, 0) + (_ATTEMPTS if final else 1)
                log.info("shared_copy_failed", file_id=str(file_id), error=str(error)[:200])
            finally:
                self._wanted.pop(file_id, None)
        return made

    async def _make(self, storage_key: str) -> None:
        target = self._store.scratch_dir() / f"{uuid4().hex}.tmp"
        try:
            async with self._store.local_copy(storage_key) as source:
                await self._render(source, target)
            await self._store.put_file(sibling_key(storage_key, KIND), target)
        finally:
            target.unlink(missing_ok=True)

    async def _exists(self, storage_key: str) -> bool:
        try:
            await self._store.size(sibling_key(storage_key, KIND))
        except NotFoundError:
            return False
        return True

    def _know(self, file_id: UUID) -> None:
        self._there[file_id] = None
        if len(self._there) > _KNOWN:
            del self._there[next(iter(self._there))]


def _serves_already(file: MediaFile) -> bool:
    return file.rendition_state == RenditionState.READY and file.rendition_key is not None
