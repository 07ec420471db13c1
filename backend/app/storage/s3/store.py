"""An `ObjectStore` in a bucket."""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.core.errors import AppError, FileEmptyError, FileTooLargeError, UnavailableError
from app.core.logging import get_logger
from app.storage import disk
from app.storage.base import PlannedPart, SignedUrl, StorageFullError, StoredObject, StoredPart
from app.storage.disk import BLOCK, disk_errors
from app.storage.disposition import served_as
from app.storage.keys import checked_key
from app.storage.s3.client import Bucket
from app.storage.s3.signing import sign
from app.storage.s3.uploads import BucketUploads

log = get_logger(__name__)

TRIES = 5
_PART = 8 << 20
_PARTS = 9000
_RESERVE = 256 << 20  # room on this machine's disk that copies of recordings leave to everything else


class S3Store:
    """Objects in `bucket`; `scratch` is a folder on this machine for copies that native code reads."""

    serves_itself = True

    def __init__(self, bucket: Bucket, scratch: Path, *, ttl_seconds: int) -> None:
        self.bucket = bucket
        self._scratch = scratch
        self._ttl = ttl_seconds
        self._uploads = BucketUploads(bucket, ttl_seconds=ttl_seconds)

    # Uploads

    async def begin_upload(self, key: str, *, size: int, single: bool = False) -> str:  # noqa: ARG002 (a bucket has room)
        return await self._uploads.begin(key, single=single)

    def put_url(self, upload: str, part: PlannedPart, *, base_url: str) -> SignedUrl:  # noqa: ARG002 (as below)
        return self._uploads.put_url(upload, part)

    async def list_parts(self, upload: str) -> list[StoredPart]:
        return await self._uploads.list_parts(upload)

    async def complete_upload(
        self, key: str, upload: str, parts: Sequence[PlannedPart], *, etags: Mapping[int, str] | None = None
    ) -> StoredObject:
        return await self._uploads.complete(key, upload, parts, etags)

    async def abort_upload(self, upload: str) -> None:
        await self._uploads.abort(upload)

    # Objects

    async def write(self, key: str, chunks: AsyncIterable[bytes], *, limit: int) -> StoredObject:
        """One PUT for what fits into a part, else a multipart upload, so that nothing is held but one part."""
        name, part_size = self.bucket.key(checked_key(key)), max(_PART, -(-limit // _PARTS))
        digest, size, block = hashlib.sha256(), 0, bytearray()
        upload_id, done = "", list[dict[str, Any]]()

        async def send() -> None:
            nonlocal upload_id, block
            if not upload_id:
                upload_id = (await self.bucket.call("create_multipart_upload", Key=name))["UploadId"]
            number, body, block = len(done) + 1, bytes(block), bytearray()
            part = await self.bucket.call(
                "upload_part", Key=name, UploadId=upload_id, PartNumber=number, Body=body
            )
            done.append({"PartNumber": number, "ETag": part["ETag"]})

        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise FileTooLargeError(f"The file is larger than {limit} bytes.")
                digest.update(chunk)
                block += chunk
                if len(block) > part_size:
                    await send()
            if not size:
                raise FileEmptyError("The file is empty.")
            if not upload_id:
                await self.bucket.call("put_object", Key=name, Body=bytes(block))
            else:
                await send()
                await self.bucket.call(
                    "complete_multipart_upload",
                    Key=name,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": done},
                )
        except BaseException:
            if upload_id:
                with suppress(AppError):
                    await asyncio.shield(
                        self.bucket.call("abort_multipart_upload", Key=name, UploadId=upload_id)
                    )
            raise
        return StoredObject(key, size, digest.hexdigest())

    async def put_file(self, key: str, path: Path) -> StoredObject:
        name = self.bucket.key(checked_key(key))
        await self.bucket.run(lambda: self.bucket.client.upload_file(str(path), self.bucket.name, name))
        size = path.stat().st_size
        path.unlink(missing_ok=True)
        return StoredObject(key, size)

    async def size(self, key: str) -> int:
        head = await self.bucket.call("head_object", Key=self.bucket.key(checked_key(key)))
        return int(head["ContentLength"])

    async def read(self, key: str, start: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        """Goes on where a connection broke off, TRIES times in a row at most."""
        rest = await self.size(key) - start
        left = rest if length is None else min(length, rest)
        failures = 0
        while left > 0:
            try:
                async for block in self._range(key, start, left):
                    yield block
                    start, left, failures = start + len(block), left - len(block), 0
                if left > 0:
                    raise UnavailableError("The store ended an object too early.")
            except UnavailableError:
                failures += 1
                if failures >= TRIES:
                    raise
                await asyncio.sleep(0.2 * 2**failures * random.uniform(0.5, 1))  # noqa: S311 (jitter)

    async def _range(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        last = start + length - 1
        answer = await self.bucket.call(
            "get_object", Key=self.bucket.key(checked_key(key)), Range=f"bytes={start}-{last}"
        )
        body = answer["Body"]
        try:
            while block := await self.bucket.run(lambda: body.read(BLOCK)):
                yield block
        finally:
            body.close()

    @asynccontextmanager
    async def local_copy(self, key: str) -> AsyncIterator[Path]:
        """On this machine's disk while the block runs. Raises `StorageFullError` where it does not fit."""
        size = await self.size(key)
        folder = self.scratch_dir()
        if shutil.disk_usage(folder).free < size + _RESERVE:
            raise StorageFullError
        path = folder / f"{uuid4().hex}.tmp"
        try:
            with disk_errors(), path.open("xb") as file:
                async for block in self.read(key, 0, size):
                    await asyncio.to_thread(file.write, block)
            yield path
        finally:
            path.unlink(missing_ok=True)

    async def delete(self, key: str) -> None:
        await self.bucket.call("delete_object", Key=self.bucket.key(checked_key(key)))

    async def delete_folder(self, key: str) -> None:
        await self.delete_tree(checked_key(key).rpartition("/")[0] + "/")

    async def delete_tree(self, folder: str) -> None:
        prefix = self.bucket.key(folder)

        def listed() -> list[str]:
            pages = self.bucket.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket.name, Prefix=prefix
            )
            return [found["Key"] for page in pages for found in page.get("Contents", [])]

        for name in await self.bucket.run(
            listed
        ):  # one by one: DeleteObjects wants checksums that some refuse
            await self.bucket.call("delete_object", Key=name)

    def get_url(
        self,
        key: str,
        *,
        base_url: str,  # noqa: ARG002 (the bucket has an address of its own)
        filename: str,
        content_type: str,
        download: bool = False,
        at_most: int | None = None,
    ) -> SignedUrl:
        ttl = self._ttl if at_most is None else min(self._ttl, at_most)
        kind, disposition = served_as(content_type, filename, download=download)
        parameters = {
            "Key": self.bucket.key(checked_key(key)),
            "ResponseContentType": kind,
            "ResponseContentDisposition": disposition,
            "ResponseCacheControl": f"private, max-age={ttl}",
        }
        return sign(self.bucket, "get_object", parameters, ttl)

    # Upkeep

    def scratch_dir(self) -> Path:
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._scratch

    async def sweep(self, *, files_before: datetime, uploads_before: datetime) -> int:
        local = await asyncio.to_thread(disk.remove_old, self.scratch_dir(), files_before.timestamp())
        return local + await self._uploads.sweep(uploads_before)

    async def free_bytes(self) -> int | None:
        return None

    async def check(self) -> None:
        name = self.bucket.key(f"probe/{uuid4().hex}")
        await self.bucket.call("put_object", Key=name, Body=b"probe")
        try:
            answer = await self.bucket.call("get_object", Key=name)
            body = answer["Body"]
            if await self.bucket.run(body.read) != b"probe":
                raise UnavailableError("The store does not give back what was written.")
        finally:
            await self.bucket.call("delete_object", Key=name)
