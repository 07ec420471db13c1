"""The store in a bucket, over a real socket against a server that checks signatures, lengths and expiry."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from app.core.clock import new_id, utcnow
from app.core.errors import ConflictError, FileEmptyError, FileTooLargeError, NotFoundError, UnavailableError
from app.services.media.plan import plan_upload
from app.storage.base import PlannedPart
from app.storage.keys import object_key
from app.storage.s3 import Bucket, BucketSettings, S3Store
from tests.fixtures.ministack import BucketServer

MIB = 1 << 20


@pytest.fixture
def make_store(bucket_server: BucketServer, tmp_path: Path) -> Callable[..., S3Store]:
    def make(*, ttl_seconds: int = 60, **settings: str) -> S3Store:
        bucket = Bucket(bucket_server.settings(**settings))
        return S3Store(bucket, tmp_path / "scratch", ttl_seconds=ttl_seconds)

    return make


@pytest.fixture
def store(make_store: Callable[..., S3Store]) -> S3Store:
    return make_store()


def new_key() -> str:
    return object_key(new_id(), new_id(), "original")


async def chunks(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


async def content(store: S3Store, key: str) -> bytes:
    return b"".join([block async for block in store.read(key)])


async def put(url: str, body: bytes) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        return await client.put(url, content=body)


async def upload_in_parts(store: S3Store, key: str, data: bytes) -> tuple[str, list[PlannedPart]]:
    parts = plan_upload(len(data)).parts()
    upload = await store.begin_upload(key, size=len(data))
    for part in reversed(parts):  # in any order
        body = data[part.offset : part.offset + part.size]
        answer = await put(store.put_url(upload, part, base_url="").url, body)
        assert answer.status_code == 200, answer.text
    return upload, parts


async def test_an_object_is_written_read_in_ranges_and_deleted(store: S3Store) -> None:
    key = new_key()
    stored = await store.write(key, chunks(b"abc", b"def"), limit=10)
    assert (stored.size, stored.sha256) == (6, hashlib.sha256(b"abcdef").hexdigest())
    assert await content(store, key) == b"abcdef"
    assert b"".join([block async for block in store.read(key, 2, 3)]) == b"cde"
    async with store.local_copy(key) as path:
        assert path.read_bytes() == b"abcdef"
    assert not path.exists()
    await store.delete(key)
    await store.delete(key)
    with pytest.raises(NotFoundError):
        await store.size(key)


async def test_a_long_stream_goes_in_parts_and_leaves_nothing_when_it_breaks(store: S3Store) -> None:
    key, block = new_key(), b"x" * MIB
    stored = await store.write(key, chunks(*[block] * 20), limit=30 * MIB)
    assert stored.size == await store.size(key) == 20 * MIB
    with pytest.raises(FileTooLargeError):
        await store.write(new_key(), chunks(*[block] * 20), limit=18 * MIB)
    with pytest.raises(FileEmptyError):
        await store.write(new_key(), chunks(), limit=18 * MIB)
    assert "Uploads" not in await store.bucket.call("list_multipart_uploads")


async def test_a_single_put_is_sealed_with_its_hash(store: S3Store) -> None:
    key = new_key()
    upload = await store.begin_upload(key, size=5, single=True)
    part = PlannedPart(1, 0, 5)
    assert await store.list_parts(upload) == []
    with pytest.raises(ConflictError, match="not arrived"):
        await store.complete_upload(key, upload, [part])
    assert (await put(store.put_url(upload, part, base_url="").url, b"hello")).status_code == 200
    assert [p.size for p in await store.list_parts(upload)] == [5]
    stored = await store.complete_upload(key, upload, [part])
    assert stored.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert await store.complete_upload(key, upload, [part]) == stored  # said twice, done once


@pytest.mark.parametrize("body", [b"hell", b"hello!", b""])
async def test_row_16_another_length_than_the_signed_one_is_refused(store: S3Store, body: bytes) -> None:
    upload = await store.begin_upload(new_key(), size=5, single=True)
    answer = await put(store.put_url(upload, PlannedPart(1, 0, 5), base_url="").url, body)
    assert answer.status_code == 403
    assert await store.list_parts(upload) == []


async def test_row_16_a_part_of_another_length_is_refused(store: S3Store) -> None:
    upload = await store.begin_upload(new_key(), size=17 * MIB)
    url = store.put_url(upload, PlannedPart(1, 0, 9 * MIB), base_url="").url
    assert (await put(url, b"x" * (9 * MIB + 1))).status_code == 403
    assert (await put(url.replace("partNumber=1", "partNumber=2"), b"x" * 9 * MIB)).status_code == 403


async def test_row_17_a_put_after_completion_changes_nothing(store: S3Store) -> None:
    key = new_key()
    upload = await store.begin_upload(key, size=5, single=True)
    part = PlannedPart(1, 0, 5)
    url = store.put_url(upload, part, base_url="").url
    await put(url, b"first")
    await store.complete_upload(key, upload, [part])
    await put(url, b"other")  # the address is still good, for a place that nobody reads any more
    assert await content(store, key) == b"first"
    assert (await store.complete_upload(key, upload, [part])).sha256 == hashlib.sha256(b"first").hexdigest()
    assert await content(store, key) == b"first"


async def test_row_17_a_part_after_completion_is_refused(store: S3Store) -> None:
    key, data = new_key(), bytes(17 * MIB)
    upload, parts = await upload_in_parts(store, key, data)
    await store.complete_upload(key, upload, parts)
    late = await put(store.put_url(upload, parts[0], base_url="").url, b"y" * parts[0].size)
    assert late.status_code == 404
    assert await content(store, key) == data


async def test_a_put_between_check_and_seal_is_not_taken_unseen(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key()
    upload = await store.begin_upload(key, size=5, single=True)
    part = PlannedPart(1, 0, 5)
    url = store.put_url(upload, part, base_url="").url
    await put(url, b"first")
    listed = store._uploads.list_parts

    async def list_then_replace(upload: str) -> list[object]:
        found = await listed(upload)
        await put(url, b"other")
        return found  # type: ignore[return-value]

    monkeypatch.setattr(store._uploads, "list_parts", list_then_replace)
    with pytest.raises(ConflictError, match="sent again"):
        await store.complete_upload(key, upload, [part])
    with pytest.raises(NotFoundError):
        await store.size(key)


async def test_an_upload_resumes_by_what_has_arrived(store: S3Store) -> None:
    key, data = new_key(), b"".join(bytes([n]) * MIB for n in range(20))
    parts = plan_upload(len(data)).parts()
    upload = await store.begin_upload(key, size=len(data))
    for part in parts[::2]:
        await put(store.put_url(upload, part, base_url="").url, data[part.offset : part.offset + part.size])
    arrived = await store.list_parts(upload)
    assert [part.number for part in arrived] == [part.number for part in parts[::2]]
    with pytest.raises(ConflictError, match="did not arrive"):
        await store.complete_upload(key, upload, parts)
    for part in parts[1::2]:
        await put(store.put_url(upload, part, base_url="").url, data[part.offset : part.offset + part.size])
    etags = {part.number: part.etag for part in await store.list_parts(upload)}
    with pytest.raises(ConflictError, match="ETag differs"):
        await store.complete_upload(key, upload, parts, etags=etags | {2: "0" * 32})
    stored = await store.complete_upload(key, upload, parts, etags=etags)
    assert stored.size == len(data)
    assert hashlib.sha256(await content(store, key)).digest() == hashlib.sha256(data).digest()


async def test_an_aborted_upload_is_gone(store: S3Store) -> None:
    key = new_key()
    upload, parts = await upload_in_parts(store, key, bytes(9 * MIB))
    await store.abort_upload(upload)
    await store.abort_upload(upload)
    assert await store.list_parts(upload) == []
    with pytest.raises(ConflictError, match="cancelled"):
        await store.complete_upload(key, upload, parts)


async def test_row_19_what_nobody_finished_is_swept(store: S3Store) -> None:
    await upload_in_parts(store, new_key(), bytes(9 * MIB))
    single = await store.begin_upload(new_key(), size=5, single=True)
    await put(store.put_url(single, PlannedPart(1, 0, 5), base_url="").url, b"hello")
    now = utcnow()
    assert await store.sweep(files_before=now, uploads_before=now - timedelta(hours=1)) == 0
    later = now + timedelta(hours=1)
    assert await store.sweep(files_before=now, uploads_before=later) == 2
    assert "Uploads" not in await store.bucket.call("list_multipart_uploads")
    assert "Contents" not in await store.bucket.call("list_objects_v2")


async def test_row_20_a_signed_read_has_a_fixed_type_and_name_and_ends(
    make_store: Callable[..., S3Store],
) -> None:
    store, brief = make_store(ttl_seconds=60), make_store(ttl_seconds=1)  # a bucket each
    key = new_key()
    for each in (store, brief):
        await each.write(key, chunks(b"<script>"), limit=10)
    options = {"base_url": "", "filename": 'a"\r\nb.html', "content_type": "text/html"}
    signed = store.get_url(key, **options).url
    async with httpx2.AsyncClient() as client:
        answer = await client.get(signed)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment;")
        altered = signed.replace("attachment", "inline")
        assert (await client.get(altered)).status_code == 403
        assert (await client.get(f"{signed.split('?')[0]}")).status_code == 403
        ending = brief.get_url(key, **options).url
        for _ in range(40):
            if (expired := await client.get(ending)).status_code != 200:
                break
            await asyncio.sleep(0.1)
    assert expired.status_code == 403


@pytest.mark.parametrize(
    "upload",
    [
        "",
        "single/",
        "single/../x",
        "multi/0123456789abcdef/../etc",
        "multi//",
        "other/x",
        "single/incoming/a/b",
    ],
)
async def test_row_18_only_uploads_of_ours_are_looked_at(store: S3Store, upload: str) -> None:
    with pytest.raises(NotFoundError):
        await store.list_parts(upload)


async def test_several_installations_share_a_bucket(make_store: Callable[..., S3Store]) -> None:
    store = make_store(prefix="team-a/")
    key = new_key()
    await store.write(key, chunks(b"abc"), limit=10)
    listed = await store.bucket.call("list_objects_v2")
    assert [found["Key"] for found in listed["Contents"]] == [f"team-a/{key}"]
    assert await content(store, key) == b"abc"


async def test_the_probe_says_what_is_wrong(bucket_server: BucketServer, tmp_path: Path) -> None:
    good = bucket_server.settings()
    await S3Store(Bucket(good), tmp_path, ttl_seconds=60).check()
    wrong = BucketSettings(
        bucket=good.bucket, endpoint_url=good.endpoint_url, access_key_id="nobody", secret_access_key="x" * 40
    )
    away = BucketSettings(
        bucket=good.bucket, endpoint_url="http://127.0.0.1:9", access_key_id="a", secret_access_key="b"
    )
    for settings in (wrong, BucketSettings(**{**_fields(good), "bucket": "no-such-bucket"}), away):
        with pytest.raises(UnavailableError):
            await S3Store(Bucket(settings), tmp_path, ttl_seconds=60).check()


def _fields(settings: BucketSettings) -> dict[str, str]:
    return {name: getattr(settings, name) for name in BucketSettings.__slots__}


def test_yandex_takes_its_own_region_only() -> None:
    assert BucketSettings("b", "https://storage.yandexcloud.net").signed_region == "ru-central1"
    assert BucketSettings("b", "https://s3.example.org").signed_region == "us-east-1"
    assert BucketSettings("b", "https://s3.example.org", region="eu-1").signed_region == "eu-1"
