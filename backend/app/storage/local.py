"""The embedded store: sealed files under one folder. Writes are temporary file, fsync, rename, fsync of the folder."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple
from uuid import uuid4

import anyio
import anyio.to_thread

from app.core.errors import AppError, FileEmptyError, FileTooLargeError, ForbiddenError, NotFoundError
from app.storage import disk
from app.storage.base import PlannedPart, SignedUrl, StorageFullError, StoredObject, StoredPart
from app.storage.disk import BLOCK, TempFile, disk_errors
from app.storage.keys import checked_key, checked_upload
from app.storage.parts import cancelled, closed
from app.storage.signing import UrlSigner
from app.storage.staging import Staging

UPLOADS_PATH = "/api/store/uploads"
OBJECTS_PATH = "/api/store/objects"
_THREADS = 16  # of our own, so that a slow disk does not hold up anything else
_RESERVE = 64 << 20  # room that uploads leave to the database and the logs

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """`etag` without quotes; an object never changes, so it stands for the bytes."""

    size: int
    etag: str


class LocalStore:
    """An `ObjectStore` in a folder. `root` is made by `open`, with `objects`, `uploads` and `tmp` on one disk."""

    serves_itself = False

    def __init__(self, root: Path, signer: UrlSigner) -> None:
        self.root = root.resolve()
        self.signer = signer
        self._objects, self._uploads, self._tmp = (self.root / name for name in ("objects", "uploads", "tmp"))
        self._made = False
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def _run(self, call: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """In a thread, with the disk's errors translated."""

        def guarded() -> Result:
            with disk_errors():
                if not self._made:
                    for folder in (self._objects, self._uploads, self._tmp):
                        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    self._made = True
                return call(*arguments)

        return await anyio.to_thread.run_sync(guarded, limiter=self._threads)

    async def _discard(self, temp: TempFile) -> None:
        """Also while being cancelled: unlinking gigabytes takes its time, and has to happen."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(temp.discard, limiter=self._threads)

    def _path(self, key: str) -> Path:
        """Where a key lives. The form alone keeps it inside; links are looked through all the same."""
        path = self._objects / checked_key(key)
        if not path.parent.resolve().is_relative_to(self._objects):
            raise NotFoundError
        return path

    def _staging(self, upload: str) -> Staging:
        return Staging(self._uploads / checked_upload(upload), self.root)

    # Uploads

    async def begin_upload(self, key: str, *, size: int, single: bool = False) -> str:  # noqa: ARG002 (one folder for both)
        checked_key(key)
        upload = uuid4().hex

        def begin() -> None:
            if shutil.disk_usage(self.root).free < size + _RESERVE:
                raise StorageFullError
            self._staging(upload).create()

        await self._run(begin)
        return upload

    def put_url(self, upload: str, part: PlannedPart, *, base_url: str) -> SignedUrl:
        parameters = {"offset": str(part.offset), "size": str(part.size)}
        return self.signer.sign("PUT", base_url, f"{UPLOADS_PATH}/{upload}/{part.number}", parameters)

    async def put_part(self, upload: str, part: PlannedPart, chunks: AsyncIterable[bytes]) -> str:
        """Receive one part and answer its ETag, the MD5 of its bytes as buckets have it.

        Raises `ForbiddenError` for a length that is not the planned one and for an upload that is over.
        """
        staging = self._staging(upload)
        if not staging.is_open:
            raise closed()
        digest = hashlib.md5(usedforsecurity=False)
        wrong = ForbiddenError(f"This address takes exactly {part.size} bytes.")
        temp = await self._run(TempFile, self._tmp)
        try:
            if await self._receive(temp, chunks, digest, limit=part.size, over=wrong) != part.size:
                raise wrong
            await self._run(staging.put, part, temp, digest.hexdigest())
        finally:
            await self._discard(temp)
        return digest.hexdigest()

    async def list_parts(self, upload: str) -> list[StoredPart]:
        return await self._run(self._staging(upload).parts)

    async def complete_upload(
        self, key: str, upload: str, parts: Sequence[PlannedPart], *, etags: Mapping[int, str] | None = None
    ) -> StoredObject:
        target, staging = self._path(key), self._staging(upload)

        def complete() -> StoredObject:
            staging.seal(target, parts, etags)
            try:
                size = target.stat().st_size
                # A single PUT is small enough to read again; a long recording is hashed when it is decoded.
                whole = hashlib.sha256(target.read_bytes()).hexdigest() if len(parts) == 1 else None
            except FileNotFoundError:  # an abort came right behind
                raise cancelled() from None
            return StoredObject(key, size, whole)

        return await self._run(complete)

    async def abort_upload(self, upload: str) -> None:
        await self._run(self._staging(upload).drop)

    # Objects

    async def write(self, key: str, chunks: AsyncIterable[bytes], *, limit: int) -> StoredObject:
        target = self._path(key)
        digest = hashlib.sha256()
        temp = await self._run(TempFile, self._tmp)
        try:
            over = FileTooLargeError(f"The file is larger than {limit} bytes.")
            size = await self._receive(temp, chunks, digest, limit=limit, over=over)
            if not size:
                raise FileEmptyError("The file is empty.")
            await self._run(temp.seal, target, self.root)
        finally:
            await self._discard(temp)
        return StoredObject(key, size, digest.hexdigest())

    async def _receive(
        self, temp: TempFile, chunks: AsyncIterable[bytes], digest: Any, *, limit: int, over: AppError
    ) -> int:
        """Into the temporary file, a block a thread call; stops at the first byte too many."""
        size, block = 0, bytearray()

        def flush(data: bytearray) -> None:
            if shutil.disk_usage(self.root).free < _RESERVE:
                raise StorageFullError
            digest.update(data)
            temp.write(data)

        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise over
            block += chunk
            if len(block) >= BLOCK:
                await self._run(flush, block)
                block = bytearray()
        if block:
            await self._run(flush, block)
        return size

    async def put_file(self, key: str, path: Path) -> StoredObject:
        target = self._path(key)

        def put() -> StoredObject:
            descriptor = disk.open_existing(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            disk.move_in(path, target, self.root)
            return StoredObject(key, target.stat().st_size)

        return await self._run(put)

    async def info(self, key: str) -> ObjectInfo:
        path = self._path(key)

        def look() -> ObjectInfo | None:
            try:
                stat = path.stat(follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                return None
            return ObjectInfo(stat.st_size, f"{stat.st_size:x}-{stat.st_mtime_ns:x}")

        found = await self._run(look)
        if found is None:
            raise NotFoundError
        return found

    async def size(self, key: str) -> int:
        return (await self.info(key)).size

    async def read(self, key: str, start: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        path = self._path(key)
        left = (await self.info(key)).size - start if length is None else length
        descriptor = await self._run(_open_object, path)
        try:
            while left > 0:
                block = await self._run(os.pread, descriptor, min(BLOCK, left), start)
                if not block:
                    return
                yield block
                start, left = start + len(block), left - len(block)
        finally:
            os.close(descriptor)

    async def local_path(self, key: str) -> Path:
        """Where the object is. Never write to it."""
        await self.info(key)
        return self._path(key)

    @asynccontextmanager
    async def local_copy(self, key: str) -> AsyncIterator[Path]:
        yield await self.local_path(key)

    async def delete(self, key: str) -> None:
        await self._run(disk.remove, self._path(key))

    async def delete_folder(self, key: str) -> None:
        await self._run(disk.remove_folder, self._path(key).parent)

    async def delete_tree(self, folder: str) -> None:
        path = (self._objects / folder).resolve()
        if path.parent.parent != self._objects:
            raise NotFoundError
        await self._run(disk.remove_folder, path)

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
        parameters = {"name": filename, "type": content_type, "download": "1" if download else "0"}
        path = f"{OBJECTS_PATH}/{checked_key(key)}"
        return self.signer.sign("GET", base_url, path, parameters, at_most=at_most)

    # Upkeep

    def scratch_dir(self) -> Path:
        self._tmp.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._tmp

    async def sweep(self, *, files_before: datetime, uploads_before: datetime) -> int:
        def sweep() -> int:
            return disk.remove_old(self._tmp, files_before.timestamp()) + disk.remove_old(
                self._uploads, uploads_before.timestamp()
            )

        return await self._run(sweep)

    async def free_bytes(self) -> int | None:
        return await self._run(lambda: shutil.disk_usage(self.root).free)

    async def check(self) -> None:
        def probe() -> None:
            temp = TempFile(self._tmp)
            try:
                temp.write(b"probe")
                if temp.path.read_bytes() != b"probe":
                    raise OSError("the store does not give back what was written")
            finally:
                temp.discard()

        await self._run(probe)


def _open_object(path: Path) -> int:
    try:
        return disk.open_existing(path, os.O_RDONLY)
    except FileNotFoundError:
        raise NotFoundError from None
