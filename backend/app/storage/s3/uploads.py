"""Uploads straight to the bucket: one PUT to a place apart, or a multipart upload.

The id of an upload says which, and where: `single/<incoming key>` or `multi/<upload id>/<key>`. Whoever was given an
address for a PUT can use it again until it expires, after the upload was completed too. So a single PUT goes to a
place of its own, and completing copies what was checked, by its ETag, to the object's key, for which no address was
ever signed. Addresses of parts die with their multipart upload.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from app.core.errors import ConflictError, NotFoundError, UnavailableError
from app.storage.base import PlannedPart, SignedUrl, StoredObject, StoredPart
from app.storage.keys import checked_key
from app.storage.parts import cancelled, check_parts
from app.storage.s3.client import Bucket
from app.storage.s3.errors import ObjectChangedError, refusal
from app.storage.s3.signing import sign

INCOMING = "incoming/"
_COPY_LIMIT = 5 * 1000**3  # one CopyObject; a single PUT is far below


class BucketUploads:
    """The store's side of the five upload calls."""

    def __init__(self, bucket: Bucket, *, ttl_seconds: int) -> None:
        self._bucket = bucket
        self._ttl = ttl_seconds

    async def begin(self, key: str, *, single: bool) -> str:
        if single:
            return f"single/{INCOMING}{uuid4().hex}"
        opened = await self._bucket.call("create_multipart_upload", Key=self._bucket.key(checked_key(key)))
        return f"multi/{opened['UploadId']}/{key}"

    def put_url(self, upload: str, part: PlannedPart) -> SignedUrl:
        kind, key, upload_id = _parse(upload)
        parameters: dict[str, Any] = {"Key": self._bucket.key(key), "ContentLength": part.size}
        if kind == "single":
            return sign(self._bucket, "put_object", parameters, self._ttl)
        parameters |= {"UploadId": upload_id, "PartNumber": part.number}
        return sign(self._bucket, "upload_part", parameters, self._ttl)

    async def list_parts(self, upload: str) -> list[StoredPart]:
        kind, key, upload_id = _parse(upload)
        try:
            if kind == "single":
                head = await self._bucket.call("head_object", Key=self._bucket.key(key))
                return [StoredPart(1, head["ContentLength"], _bare(head["ETag"]))]
            return await self._list(key, upload_id)
        except NotFoundError:
            return []

    async def _list(self, key: str, upload_id: str) -> list[StoredPart]:
        def pages() -> list[dict[str, Any]]:
            paginator = self._bucket.client.get_paginator("list_parts")
            found = paginator.paginate(
                Bucket=self._bucket.name, Key=self._bucket.key(key), UploadId=upload_id
            )
            return [part for page in found for part in page.get("Parts", [])]

        parts = await self._bucket.run(pages)
        return [StoredPart(part["PartNumber"], part["Size"], _bare(part["ETag"])) for part in parts]

    async def complete(
        self, key: str, upload: str, parts: Sequence[PlannedPart], etags: Mapping[int, str] | None
    ) -> StoredObject:
        """Whatever happened before, at another node or before a crash: the sealed object is looked for first."""
        size = sum(part.size for part in parts)
        if (sealed := await self._sealed(key, size)) is not None:
            return sealed
        arrived = await self.list_parts(upload)
        kind, source, upload_id = _parse(upload)
        if not arrived and kind == "multi" and not await self._is_open(source, upload_id):
            if (sealed := await self._sealed(key, size)) is not None:  # completed by somebody else meanwhile
                return sealed
            raise cancelled()
        check_parts(parts, arrived, etags)
        if kind == "single":
            await self._copy(source, key, arrived[0])
        else:
            await self._assemble(key, upload_id, arrived)
        sealed = await self._sealed(key, size)
        if sealed is None:
            await self._bucket.call("delete_object", Key=self._bucket.key(key))
            raise ConflictError(
                f"The store did not keep the {size} bytes that were declared. Send the file again."
            )
        if kind == "single":
            await self._bucket.call("delete_object", Key=self._bucket.key(source))
        return sealed

    async def _is_open(self, key: str, upload_id: str) -> bool:
        try:
            await self._bucket.call("list_parts", Key=self._bucket.key(key), UploadId=upload_id, MaxParts=1)
        except NotFoundError:
            return False
        return True

    async def _sealed(self, key: str, size: int) -> StoredObject | None:
        """The object at `key` where it is there with this size. A small one is read again for its hash."""
        name = self._bucket.key(checked_key(key))
        try:
            head = await self._bucket.call("head_object", Key=name)
        except NotFoundError:
            return None
        if head["ContentLength"] != size:
            return None
        if "-" in head["ETag"] or size > 8 << 20:  # in parts: a long recording is hashed when it is decoded
            return StoredObject(key, size)
        body = await self._bucket.run(
            lambda: self._bucket.client.get_object(Bucket=self._bucket.name, Key=name)["Body"].read()
        )
        return StoredObject(key, size, hashlib.sha256(body).hexdigest())

    async def _copy(self, source: str, key: str, checked: StoredPart) -> None:
        """Exactly the bytes that were checked: a PUT that came in between makes the condition fail."""
        try:
            await self._bucket.call(
                "copy_object",
                Key=self._bucket.key(checked_key(key)),
                CopySource={"Bucket": self._bucket.name, "Key": self._bucket.key(source)},
                CopySourceIfMatch=f'"{checked.etag}"',
            )
        except ObjectChangedError as error:
            raise ConflictError(
                "The file was sent again while it was completed. Complete it once more."
            ) from error

    async def _assemble(self, key: str, upload_id: str, arrived: Sequence[StoredPart]) -> None:
        listed = [{"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in arrived]
        try:
            await self._bucket.call(
                "complete_multipart_upload",
                Key=self._bucket.key(checked_key(key)),
                UploadId=upload_id,
                MultipartUpload={"Parts": listed},
            )
        except NotFoundError:
            return  # completed or aborted meanwhile: the look at the object decides
        except UnavailableError as error:
            if refusal(error) in ("InvalidPart", "InvalidPartOrder", "EntityTooSmall"):
                raise ConflictError("The store refuses these parts. Send the file again.") from error
            raise

    async def abort(self, upload: str) -> None:
        kind, key, upload_id = _parse(upload)
        if kind == "single":
            await self._bucket.call("delete_object", Key=self._bucket.key(key))
            return
        try:
            await self._bucket.call("abort_multipart_upload", Key=self._bucket.key(key), UploadId=upload_id)
        except NotFoundError:
            return

    async def sweep(self, before: datetime) -> int:
        """Aborts multipart uploads and removes incoming objects that are older; answers how many."""
        bucket = self._bucket

        def stale() -> tuple[list[tuple[str, str]], list[str]]:
            uploads = bucket.client.get_paginator("list_multipart_uploads").paginate(
                Bucket=bucket.name, Prefix=bucket.settings.prefix
            )
            objects = bucket.client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket.name, Prefix=bucket.key(INCOMING)
            )
            return (
                [
                    (u["Key"], u["UploadId"])
                    for p in uploads
                    for u in p.get("Uploads", [])
                    if u["Initiated"] < before
                ],
                [o["Key"] for p in objects for o in p.get("Contents", []) if o["LastModified"] < before],
            )

        uploads, objects = await bucket.run(stale)
        for name, upload_id in uploads:
            await self.abort(f"multi/{upload_id}/{bucket.bare(name)}")
        for name in objects:
            await bucket.call("delete_object", Key=name)
        return len(uploads) + len(objects)


def _parse(upload: str) -> tuple[str, str, str]:
    """Kind, key and multipart id. Raises `NotFoundError` for what `begin` cannot have made."""
    kind, _, rest = upload.partition("/")
    if kind == "single" and rest.startswith(INCOMING) and rest.removeprefix(INCOMING).isalnum():
        return kind, rest, ""
    upload_id, _, key = rest.partition("/")
    if kind == "multi" and upload_id:
        return kind, checked_key(key), upload_id
    raise NotFoundError


def _bare(etag: str) -> str:
    return etag.strip('"')
