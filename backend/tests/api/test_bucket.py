"""The product on a bucket: uploads straight to it, transcripts out of it, texts kept in it. SQLite; a real S3 server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from app.storage.s3 import S3Store
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.ministack import BucketServer

TEXT = b"What was said, word for word."


@pytest.fixture
async def app(make_app: MakeApp, bucket_server: BucketServer) -> RunningApp:
    bucket = bucket_server.settings()
    running = await make_app(
        transcription_backend="stub",
        storage_backend="s3",
        s3_endpoint_url=bucket.endpoint_url,
        s3_bucket=bucket.bucket,
        s3_access_key_id=bucket.access_key_id,
        s3_secret_access_key=bucket.secret_access_key,
    )
    await sign_up(running.client)
    return running


@pytest.fixture
async def outside() -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that talks to the bucket, without our tokens."""
    async with httpx2.AsyncClient() as client:
        yield client


async def upload(app: RunningApp, outside: httpx2.AsyncClient, name: str, data: bytes) -> str:
    opened = (await app.client.post("/api/files/presign", json={"filename": name, "size": len(data)})).json()
    assert opened["method"] == "single"
    assert opened["url"].startswith(app.settings.storage.s3_endpoint_url)
    sent = await outside.put(opened["url"], content=data, headers=opened["headers"])
    assert sent.status_code == 200, sent.text
    done = await app.client.post("/api/files/complete", json={"upload_id": opened["upload_id"]})
    assert done.status_code == 200, done.text
    return str(done.json()["id"])


async def finished(app: RunningApp, job_id: str) -> dict[str, object]:
    for _ in range(200):
        job = (await app.client.get(f"/api/jobs/{job_id}")).json()
        if job["status"] not in ("pending", "processing"):
            assert job["status"] == "completed", job
            return dict(job)
        await asyncio.sleep(0.05)
    raise AssertionError(f"the job does not end: {job}")


async def transcribe(app: RunningApp, outside: httpx2.AsyncClient) -> tuple[str, str]:
    file_id = await upload(app, outside, "notes.txt", TEXT)
    job = (await app.client.post("/api/jobs", json={"file_id": file_id})).json()
    await finished(app, job["id"])
    return file_id, job["id"]


async def archived(app: RunningApp, job_id: str, form: str) -> httpx2.Response:
    """The answer to a download once the text has come to the bucket."""
    for _ in range(200):
        answer = await app.client.get(
            f"/api/jobs/{job_id}/download", params={"format": form}, follow_redirects=False
        )
        if answer.status_code == 307:
            return answer
        assert answer.status_code == 200
        await asyncio.sleep(0.05)
    raise AssertionError("the text does not come to the bucket")


async def names(app: RunningApp) -> list[str]:
    store = app.container.store
    assert isinstance(store, S3Store)
    listed = await store.bucket.call("list_objects_v2")
    return [found["Key"] for found in listed.get("Contents", [])]


async def test_from_a_browser_to_a_text_in_the_bucket(app: RunningApp, outside: httpx2.AsyncClient) -> None:
    _, job_id = await transcribe(app, outside)
    answer = await archived(app, job_id, "txt")
    assert answer.headers["cache-control"] == "no-store"
    text = await outside.get(answer.headers["location"])
    assert text.status_code == 200
    assert text.content.strip() == TEXT
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert 'filename="notes.txt"' in text.headers["content-disposition"]
    result = await outside.get((await archived(app, job_id, "json")).headers["location"])
    assert result.json() == (await app.client.get(f"/api/jobs/{job_id}/result")).json()
    subtitles = await app.client.get(f"/api/jobs/{job_id}/download", params={"format": "srt"})
    assert subtitles.status_code == 200


async def test_pages_may_reach_the_bucket_and_nothing_else(app: RunningApp) -> None:
    policy = (await app.client.get("/health")).headers["content-security-policy"]
    origin = app.settings.storage.s3_endpoint_url
    assert f"connect-src 'self' {origin};" in policy
    assert f"media-src 'self' blob: {origin};" in policy
    assert "default-src 'self';" in policy


async def test_the_recording_plays_from_the_bucket_in_ranges(
    app: RunningApp, outside: httpx2.AsyncClient
) -> None:
    file_id = await upload(app, outside, "notes.txt", TEXT)
    url = (await app.client.get(f"/api/files/{file_id}/url")).json()["url"]
    part = await outside.get(url, headers={"Range": "bytes=5-7"})
    assert (part.status_code, part.content) == (206, TEXT[5:8])


async def test_deleting_a_job_leaves_nothing_in_the_bucket(
    app: RunningApp, outside: httpx2.AsyncClient
) -> None:
    _, job_id = await transcribe(app, outside)
    await archived(app, job_id, "txt")
    assert len(await names(app)) == 3
    assert (await app.client.delete(f"/api/jobs/{job_id}")).status_code == 204
    assert await names(app) == []


async def test_row_16_a_file_that_did_not_arrive_whole_is_no_file(
    app: RunningApp, outside: httpx2.AsyncClient
) -> None:
    opened = (await app.client.post("/api/files/presign", json={"filename": "a.mp3", "size": 1000})).json()
    assert (await outside.put(opened["url"], content=b"x" * 1001)).status_code == 403
    done = await app.client.post("/api/files/complete", json={"upload_id": opened["upload_id"]})
    assert (done.status_code, done.json()["error"]["code"]) == (409, "conflict")


async def test_a_whole_file_in_one_request_goes_to_the_bucket_too(app: RunningApp) -> None:
    sent = await app.client.post("/api/transcribe", files={"file": ("notes.txt", TEXT)})
    assert sent.status_code == 202, sent.text
    await finished(app, sent.json()["job_id"])


async def test_readiness_tells_of_a_bucket_that_is_away(make_app: MakeApp) -> None:
    running = await make_app(
        transcription_backend="stub",
        storage_backend="s3",
        s3_endpoint_url="http://127.0.0.1:9",
        s3_bucket="nowhere",
        s3_access_key_id="a",
        s3_secret_access_key="b",
    )
    await sign_up(running.client)
    ready = await running.client.get("/ready")
    assert ready.status_code == 503
    assert not ready.json()["checks"]["storage"]["ok"]
    away = await running.client.post("/api/files/presign", json={"filename": "a.mp3", "size": 1 << 24})
    assert away.status_code == 503
    assert away.headers["retry-after"]
