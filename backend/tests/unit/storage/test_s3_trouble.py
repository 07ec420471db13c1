"""The store in a bucket when the bucket is in trouble: answers of moto, bent on their way in."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.response import StreamingBody
from moto import mock_aws
from urllib3.exceptions import ProtocolError

from app.core.clock import new_id, utcnow
from app.core.errors import NotFoundError, UnavailableError
from app.services.media.plan import plan_upload
from app.storage.keys import object_key
from app.storage.s3 import Bucket, BucketSettings, S3Store

MIB = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3Store]:
    with mock_aws():
        bucket = Bucket(BucketSettings("recordings", access_key_id="key", secret_access_key="secret"))
        bucket.client.create_bucket(Bucket="recordings")
        yield S3Store(bucket, tmp_path / "scratch", ttl_seconds=60)


@pytest.fixture
def key() -> str:
    return object_key(new_id(), new_id(), "original")


async def chunks(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


async def content(store: S3Store, key: str) -> bytes:
    return b"".join([block async for block in store.read(key)])


def on(store: S3Store, event: str, handler: Callable[..., Any]) -> None:
    store.bucket.client.meta.events.register_first(event, handler)


class Raw(io.BytesIO):
    """The body of an answer as botocore expects it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def refuse(status: int, code: str) -> Callable[..., AWSResponse]:
    """An answer of the bucket's that is no success."""
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return lambda request, **_: AWSResponse(request.url, status, {}, Raw(body))


class Torn(io.BytesIO):
    """A body whose connection breaks after so many bytes."""

    def __init__(self, data: bytes, after: int) -> None:
        super().__init__(data)
        self._after = after

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= self._after:
            raise ProtocolError("Connection broken")
        return super().read(min(size or self._after, self._after - self.tell()))


def tear(answers: list[str], after: int) -> Callable[..., None]:
    """Tears each body after so many bytes, and notes the range that was asked for."""

    def handler(parsed: dict[str, Any], **_: object) -> None:
        answers.append(parsed["ContentRange"])
        data = parsed["Body"].read()
        parsed["Body"] = StreamingBody(Torn(data, after), len(data))

    return handler


async def test_a_read_goes_on_where_its_connection_broke(store: S3Store, key: str) -> None:
    data = bytes(range(256)) * 40
    await store.write(key, chunks(data), limit=MIB)
    asked: list[str] = []
    on(store, "after-call.s3.GetObject", tear(asked, 4096))

    assert await content(store, key) == data
    assert asked == ["bytes 0-10239/10240", "bytes 4096-10239/10240", "bytes 8192-10239/10240"]


async def test_a_read_that_never_gets_on_ends(store: S3Store, key: str) -> None:
    await store.write(key, chunks(b"words"), limit=MIB)
    asked: list[str] = []
    on(store, "after-call.s3.GetObject", tear(asked, 0))

    with pytest.raises(UnavailableError):
        await content(store, key)
    assert len(asked) == 5


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "NoSuchBucket"), (400, "Weird")])
async def test_a_bucket_that_refuses_us_is_away(store: S3Store, key: str, status: int, code: str) -> None:
    on(store, "before-send.s3.PutObject", refuse(status, code))

    with pytest.raises(UnavailableError) as caught:
        await store.write(key, chunks(b"words"), limit=MIB)
    assert code not in caught.value.message  # the operator's business: it is in the log


async def test_a_short_trouble_is_passed_over(store: S3Store, key: str) -> None:
    troubles = [refuse(500, "InternalError"), refuse(503, "SlowDown")]
    on(store, "before-send.s3.PutObject", lambda request, **_: (troubles and troubles.pop()(request)) or None)

    await store.write(key, chunks(b"words"), limit=MIB)

    assert not troubles
    assert await content(store, key) == b"words"


async def test_a_stream_whose_part_is_refused_leaves_no_upload_open(store: S3Store, key: str) -> None:
    on(store, "before-send.s3.UploadPart", refuse(403, "AccessDenied"))

    with pytest.raises(UnavailableError):
        await store.write(key, chunks(bytes(9 * MIB)), limit=20 * MIB)

    listed = store.bucket.client.list_multipart_uploads(Bucket="recordings")
    assert "Uploads" not in listed
    with pytest.raises(NotFoundError):
        await store.size(key)


async def test_a_seal_whose_answer_was_lost_is_found_when_it_is_asked_again(store: S3Store, key: str) -> None:
    parts = plan_upload(9 * MIB).parts()
    upload = await store.begin_upload(key, size=9 * MIB)
    upload_id = upload.split("/")[1]
    for part in parts:
        store.bucket.client.upload_part(
            Bucket="recordings", Key=key, UploadId=upload_id, PartNumber=part.number, Body=bytes(part.size)
        )

    def lose(**_: object) -> None:
        store.bucket.client.meta.events.unregister("after-call.s3.CompleteMultipartUpload", lose)
        raise ConnectionResetError

    on(store, "after-call.s3.CompleteMultipartUpload", lose)
    with pytest.raises(UnavailableError):
        await store.complete_upload(key, upload, parts)

    assert (await store.complete_upload(key, upload, parts)).size == 9 * MIB


async def test_the_sweep_goes_through_all_pages(store: S3Store) -> None:
    for _ in range(7):
        await store.begin_upload(object_key(new_id(), new_id(), "original"), size=9 * MIB)
    for number in range(5):
        store.bucket.client.put_object(Bucket="recordings", Key=f"incoming/{number}", Body=b"left")
    later = utcnow() + timedelta(hours=1)
    on(store, "provide-client-params.s3.ListObjectsV2", lambda params, **_: {**params, "MaxKeys": 2})

    assert await store.sweep(files_before=later, uploads_before=later) == 12

    assert "Contents" not in store.bucket.client.list_objects_v2(Bucket="recordings")
