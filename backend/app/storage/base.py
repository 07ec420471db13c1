"""The port to where bytes live: the local disk, or a bucket (the next form of the same five upload calls)."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from app.core.errors import AppError


class StorageFullError(AppError):
    """No room for these bytes; what was written of them is gone again."""

    status, code = 507, "storage_full"

    def __init__(self) -> None:
        super().__init__("The server has no room left for this file. Ask its operator to make space.")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that is whole and sealed. `size` in bytes, `sha256` (hex) where it was computed on the way in."""

    key: str
    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A URL that works without a token until `expires_at`; `headers` have to be sent along."""

    url: str
    expires_at: datetime
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A part as it was planned: number from 1, place and exact length in bytes."""

    number: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that has arrived; `etag` without quotes."""

    number: int
    size: int
    etag: str


class ObjectStore(Protocol):
    """Everything the services ask of a store. Keys come from `app.storage.keys`; `upload` is the store's own id.

    An upload of a single PUT is one of one part. Raises `UnavailableError` while the store is away,
    `StorageFullError` where it has no room, `NotFoundError` for a missing key.
    """

    serves_itself: bool  # its signed addresses lead to a bucket, not to this server

    async def begin_upload(self, key: str, *, size: int, single: bool = False) -> str:
        """Open an upload of `size` bytes, in a `single` PUT or in parts, and answer its id. Refuses at once what
        there is no room for."""
        ...

    def put_url(self, upload: str, part: PlannedPart, *, base_url: str) -> SignedUrl:
        """Where to PUT this part. Its exact Content-Length is signed."""
        ...

    async def list_parts(self, upload: str) -> list[StoredPart]:
        """What has arrived, by number. Nothing for an upload that is over."""
        ...

    async def complete_upload(
        self, key: str, upload: str, parts: Sequence[PlannedPart], *, etags: Mapping[int, str] | None = None
    ) -> StoredObject:
        """Seal the object, or raise `ConflictError` naming what is missing. `etags` by number, where the client
        said what it sent, have to match what arrived.

        May be called again, at once or after a crash anywhere inside: answers the same object.
        """
        ...

    async def abort_upload(self, upload: str) -> None:
        """Drop the upload and all its bytes; one that is over is left alone."""
        ...

    async def write(self, key: str, chunks: AsyncIterable[bytes], *, limit: int) -> StoredObject:
        """Stream a new object in. `FileTooLargeError` past `limit` bytes, `FileEmptyError` for none; both leave
        nothing behind."""
        ...

    async def put_file(self, key: str, path: Path) -> StoredObject:
        """Move a finished file from `scratch_dir` in; it replaces an object of the same key."""
        ...

    def read(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Blocks of the object from byte `start` on."""
        ...

    def local_copy(self, key: str) -> AbstractAsyncContextManager[Path]:
        """Where to read the object on this machine's disk while the block runs. Never write to it."""
        ...

    async def size(self, key: str) -> int: ...

    async def delete(self, key: str) -> None:
        """Gone for good; a missing object is no error."""
        ...

    async def delete_folder(self, key: str) -> None:
        """Everything beside `key`, of whatever kind: a file goes whole."""
        ...

    async def delete_tree(self, folder: str) -> None:
        """Everything of a workspace; `folder` comes from `app.storage.keys`."""
        ...

    def get_url(
        self,
        key: str,
        *,
        base_url: str,
        filename: str,
        content_type: str,
        download: bool = False,
        at_most: int | None = None,
    ) -> SignedUrl:
        """Where to read the object. `download` asks the browser to save it under `filename`.

        It is good for URL_TTL_SECONDS, or for `at_most` seconds where that is less.
        """
        ...

    def scratch_dir(self) -> Path:
        """A folder for files in the making; what a crash leaves there is swept."""
        ...

    async def sweep(self, *, files_before: datetime, uploads_before: datetime) -> int:
        """Remove what crashes left: temporary files and uploads not touched since; answers how many."""
        ...

    async def free_bytes(self) -> int | None:
        """Room that is left, None where the store has no such limit."""
        ...

    async def check(self) -> None:
        """Write a probe and read it again. Raises what stands in the way."""
        ...
