"""The port to where bytes live: the local disk, or a bucket (the next form of the same five upload calls)."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that is whole and sealed. `size` in bytes, `sha256` where it was computed on the way in."""

    key: str
    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A URL that works without a token until `expires_at`; `headers` have to be sent along."""

    url: str
    expires_at: datetime
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that has arrived: number from 1, size in bytes, and the store's ETag."""

    part_number: int
    size: int
    etag: str


class ObjectStore(Protocol):
    """Everything the services ask of a store. Keys are server-made (`w/<workspace>/f/<file>/<kind>`).

    Raises `UnavailableError` while the store is away, `FileTooLargeError` past `limit`,
    `ConflictError` where sizes or parts do not match, `NotFoundError` for a missing key.
    """

    async def write(self, key: str, chunks: AsyncIterable[bytes], *, limit: int) -> StoredObject: ...

    async def delete(self, key: str) -> None: ...

    async def size(self, key: str) -> int: ...

    async def local_path(self, key: str) -> Path: ...

    def put_url(self, key: str, *, size: int, base_url: str) -> SignedUrl: ...

    def part_url(self, key: str, upload: str, part_number: int, *, size: int, base_url: str) -> SignedUrl: ...

    def get_url(self, key: str, *, base_url: str, filename: str, content_type: str) -> SignedUrl: ...

    async def begin_multipart(self, key: str) -> str: ...

    async def list_parts(self, key: str, upload: str) -> Sequence[StoredPart]: ...

    async def complete_multipart(
        self, key: str, upload: str, parts: Sequence[StoredPart], *, size: int
    ) -> StoredObject: ...

    async def complete_single(self, key: str, *, size: int) -> StoredObject: ...

    async def abort(self, key: str, upload: str | None) -> None: ...

    async def check(self) -> None: ...
