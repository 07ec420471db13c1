"""/api/files over the local store: announced, sent, completed, listed, deleted."""

from __future__ import annotations

import asyncio
import hashlib
import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa

from app.core.clock import new_id, utcnow
from app.models import Job, MediaFile, Upload
from app.services.media.janitor import expire_uploads
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.files import MIB, WAV, complete, file_url, presign, send_parts, upload

TTL = timedelta(hours=24)


@pytest.fixture
async def client(running_app: RunningApp) -> httpx2.AsyncClient:
    await sign_up(running_app.client)
    return running_app.client


def stored(app: RunningApp) -> list[Path]:
    root = app.settings.storage_dir
    return [path for path in root.rglob("*") if path.is_file()] if root.exists() else []


async def rows(app: RunningApp, model: Any) -> list[Any]:
    async with app.container.database.system(read_only=True) as session:
        return [*(await session.execute(sa.select(model))).scalars()]


def error(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_single_put(client: httpx2.AsyncClient, running_app: RunningApp) -> None:
    opened = await presign(client, len(WAV), "Запись «1».wav", content_type="audio/wav")
    assert opened["method"] == "single"
    assert opened["url"].startswith("http://127.0.0.1/api/store/uploads/")
    assert opened["expires_at"].endswith("Z")
    put = await client.put(opened["url"], content=WAV, headers=opened["headers"])
    assert put.headers["etag"] == f'"{hashlib.md5(WAV).hexdigest()}"'
    done = await complete(client, opened)
    assert done.status_code == 200
    body = done.json()
    assert body.pop("created_at").endswith("Z")
    assert body == {
        "id": opened["file_id"],
        "filename": "Запись «1».wav",
        "size": len(WAV),
        "content_type": "audio/wav",
        "sha256": hashlib.sha256(WAV).hexdigest(),
        "duration_ms": None,
    }
    assert (await client.get(f"/api/files/{opened['file_id']}")).json()["id"] == opened["file_id"]
    assert (await client.get(await file_url(client, opened["file_id"]))).content == WAV
    assert len(stored(running_app)) == 1


async def test_multipart_with_pauses_and_resume(client: httpx2.AsyncClient) -> None:
    data = random.Random(1).randbytes(17 * MIB + 3)
    opened = await presign(client, len(data))
    assert (opened["method"], opened["part_size"], opened["part_count"]) == ("multipart", 8 * MIB, 3)
    assert opened["url"] is None
    listing = f"/api/files/uploads/{opened['upload_id']}/parts"
    assert (await client.get(listing)).json() == {"parts": []}
    first = await send_parts(client, opened, data, [3, 1])
    arrived = (await client.get(listing)).json()["parts"]
    assert [(part["part_number"], part["size"]) for part in arrived] == [(1, 8 * MIB), (3, MIB + 3)]
    assert {f'"{part["etag"]}"' for part in arrived} == {part["etag"] for part in first}

    early = await complete(client, opened)
    assert error(early) == (409, "conflict")
    assert "Part 2 of 3" in early.json()["error"]["message"]

    parts = first + await send_parts(client, opened, data, [2])
    done = await complete(client, opened, parts=parts)
    assert done.status_code == 200, done.text
    assert (await complete(client, opened)).json() == done.json()
    got = await client.get(await file_url(client, opened["file_id"]))
    assert hashlib.sha256(got.content).digest() == hashlib.sha256(data).digest()
    assert error(await client.get(listing)) == (409, "conflict")
    assert error(await client.post(listing, json={"part_numbers": [1]})) == (409, "conflict")


async def test_complete_compares_the_parts_that_are_named(client: httpx2.AsyncClient) -> None:
    data = bytes(9 * MIB)
    opened = await presign(client, len(data))
    parts = await send_parts(client, opened, data)
    for wrong in (
        [{"part_number": 1, "etag": "0" * 32}, parts[1]],
        parts[:1],
        [],
        [*parts, {"part_number": 3, "etag": "0" * 32}],
    ):
        assert error(await complete(client, opened, parts=wrong)) == (409, "conflict")
    plain = [part | {"etag": part["etag"].strip('"')} for part in parts]
    assert (await complete(client, opened, parts=plain)).status_code == 200


async def test_twenty_completes_at_once_make_one_file(
    client: httpx2.AsyncClient, running_app: RunningApp
) -> None:
    opened = await presign(client, len(WAV))
    await send_parts(client, opened, WAV)
    answers = await asyncio.gather(*(complete(client, opened) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(await rows(running_app, MediaFile)) == 1


async def test_complete_and_abort_at_once_end_in_one_of_both(
    client: httpx2.AsyncClient, running_app: RunningApp
) -> None:
    for _ in range(25):
        opened = await presign(client, len(WAV))
        await send_parts(client, opened, WAV)
        done, dropped = await asyncio.gather(
            complete(client, opened), client.delete(f"/api/files/uploads/{opened['upload_id']}")
        )
        assert (done.status_code, dropped.status_code) in ((200, 409), (409, 204))
        found = await client.get(f"/api/files/{opened['file_id']}")
        assert found.status_code == (200 if done.status_code == 200 else 404)
    assert len(stored(running_app)) == len(await rows(running_app, MediaFile))


async def test_complete_before_anything_arrived(client: httpx2.AsyncClient) -> None:
    opened = await presign(client, 5)
    answer = await complete(client, opened)
    assert error(answer) == (409, "conflict")
    assert answer.json()["error"]["message"] == "The file has not arrived yet."


async def test_abort(client: httpx2.AsyncClient, running_app: RunningApp) -> None:
    opened = await presign(client, 9 * MIB)
    await send_parts(client, opened, bytes(9 * MIB), [1])
    path = f"/api/files/uploads/{opened['upload_id']}"
    assert (await client.delete(path)).status_code == 204
    assert (await client.delete(path)).status_code == 204
    assert stored(running_app) == []
    assert error(await client.get(f"{path}/parts")) == (404, "not_found")
    assert error(await client.post(f"{path}/parts", json={"part_numbers": [2]})) == (404, "not_found")
    assert error(await complete(client, opened)) == (409, "conflict")


async def test_sizes_at_presign(make_app: MakeApp) -> None:
    app = await make_app(max_file_bytes=10 * MIB)
    await sign_up(app.client)

    async def ask(size: object) -> httpx2.Response:
        return await app.client.post("/api/files/presign", json={"filename": "a.wav", "size": size})

    empty = await ask(0)
    assert error(empty) == (422, "file_empty")
    assert empty.json()["error"]["field"] == "size"
    large = await ask(10 * MIB + 1)
    assert error(large) == (413, "file_too_large")
    assert "10 MiB" in large.json()["error"]["message"]
    assert (await ask(10 * MIB)).json()["method"] == "multipart"
    assert (await ask(8 * MIB)).json()["method"] == "single"
    for wrong in (-1, 1.5, "5", None, True, 2**63):
        assert error(await ask(wrong)) == (422, "validation_error")


async def test_part_numbers(client: httpx2.AsyncClient) -> None:
    opened = await presign(client, 9 * MIB)
    path = f"/api/files/uploads/{opened['upload_id']}/parts"
    for wrong in ([0], [3], [-1], [], ["x"], [1.5]):
        answer = await client.post(path, json={"part_numbers": wrong})
        assert error(answer) == (422, "validation_error")
        assert answer.json()["error"]["field"].startswith("part_numbers")
    signed = await client.post(path, json={"part_numbers": [2, 1]})
    assert [(part["part_number"], part["size"]) for part in signed.json()["parts"]] == [
        (2, MIB),
        (1, 8 * MIB),
    ]


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("تسجيل ١.mp3", "تسجيل ١.mp3"),
        ("🎙️.mp3", "🎙️.mp3"),
        ("../../../etc/passwd", "passwd"),
        ("-i", "-i"),
        (";id", ";id"),
        ("a\0b\r\nX: y.mp3", "abX: y.mp3"),
        ("\u202egpj.mp3", "gpj.mp3"),
        ("x" * 4096, "x" * 255),
        ("", "recording"),
    ],
)
async def test_row_10_any_name(
    client: httpx2.AsyncClient, running_app: RunningApp, filename: str, shown: str
) -> None:
    file = await upload(client, WAV, filename)
    assert file["filename"] == shown
    got = await client.get(await file_url(client, file["id"], download=True))
    assert got.headers["content-disposition"].startswith("attachment; filename=")
    assert got.content == WAV
    assert [path.name for path in stored(running_app)] == ["original"]


async def test_list_in_pages(client: httpx2.AsyncClient) -> None:
    ids = [(await upload(client, WAV, f"{n}.wav"))["id"] for n in range(5)]
    first = (await client.get("/api/files", params={"limit": 2})).json()
    second = (await client.get("/api/files", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    last = (await client.get("/api/files", params={"limit": 2, "cursor": second["next_cursor"]})).json()
    assert [file["id"] for page in (first, second, last) for file in page["items"]] == ids[::-1]
    assert last["next_cursor"] is None
    assert error(await client.get("/api/files", params={"cursor": "nonsense"})) == (422, "validation_error")


async def test_delete(client: httpx2.AsyncClient, running_app: RunningApp) -> None:
    opened = await presign(client, len(WAV))
    await send_parts(client, opened, WAV)
    await complete(client, opened)
    url = await file_url(client, opened["file_id"])
    path = f"/api/files/{opened['file_id']}"
    assert (await client.delete(path)).status_code == 204
    assert error(await client.delete(path)) == (404, "not_found")
    assert error(await client.get(path)) == (404, "not_found")
    assert error(await client.get(url)) == (404, "not_found")
    assert error(await complete(client, opened)) == (404, "not_found")
    assert stored(running_app) == []
    assert await rows(running_app, Upload) == []


async def test_delete_of_a_file_that_a_job_uses(client: httpx2.AsyncClient, running_app: RunningApp) -> None:
    file = await upload(client)
    job_id = new_id()
    async with running_app.container.database.system() as session:
        owner = (await session.execute(sa.select(MediaFile.workspace_id))).scalar_one()
        session.add(
            Job(
                id=job_id, workspace_id=owner, file_id=UUID(file["id"]), filename="a.wav", language="auto",
                mode="mono", vad="auto", status="completed",
            )
        )  # fmt: skip
    assert error(await client.delete(f"/api/files/{file['id']}")) == (409, "conflict")
    assert (await client.get(await file_url(client, file["id"]))).content == WAV


async def test_bytes_that_could_not_be_deleted_are_deleted_later(
    client: httpx2.AsyncClient, running_app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = running_app.container
    file = await upload(client)

    async def away(_key: str) -> None:
        raise OSError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(container.store, "delete_folder", away)
        assert (await client.delete(f"/api/files/{file['id']}")).status_code == 204
    assert len(stored(running_app)) == 1
    await expire_uploads(container.database, container.store, ttl=TTL)
    assert stored(running_app) == []
    assert await rows(running_app, Upload) == []


async def test_row_19_uploads_expire(client: httpx2.AsyncClient, running_app: RunningApp) -> None:
    container = running_app.container
    kept, dropped = await presign(client, len(WAV)), await presign(client, 9 * MIB)
    await send_parts(client, kept, WAV)
    await send_parts(client, dropped, bytes(9 * MIB), [1])
    async with container.database.system() as session:
        await session.execute(
            sa.update(Upload)
            .where(Upload.id == UUID(dropped["upload_id"]))
            .values(expires_at=utcnow() - timedelta(seconds=1))
        )
    assert await expire_uploads(container.database, container.store, ttl=TTL) == 1
    assert await expire_uploads(container.database, container.store, ttl=TTL) == 0
    assert error(await complete(client, dropped)) == (404, "not_found")
    assert (await complete(client, kept)).status_code == 200
    assert len(stored(running_app)) == 1


async def test_sealed_but_not_written_down(
    client: httpx2.AsyncClient, running_app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between sealing and the row: completing again finds the bytes, expiry removes them."""
    container = running_app.container
    both = [await presign(client, len(WAV)) for _ in range(2)]

    async def crash(*_: object) -> None:
        raise ConnectionError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(container.uploads._intake, "finish", crash)
        for opened in both:
            await send_parts(client, opened, WAV)
            assert error(await complete(client, opened)) == (503, "unavailable")
    assert (await complete(client, both[0])).json()["sha256"] == hashlib.sha256(WAV).hexdigest()
    async with container.database.system() as session:
        await session.execute(sa.update(Upload).values(expires_at=utcnow() - timedelta(seconds=1)))
    await expire_uploads(container.database, container.store, ttl=TTL)
    assert len(stored(running_app)) == 1
    assert (await client.get(await file_url(client, both[0]["file_id"]))).content == WAV


async def test_another_tenant_finds_nothing(client: httpx2.AsyncClient, running_app: RunningApp) -> None:
    opened = await presign(client, 9 * MIB)
    file = await upload(client)
    async with running_app.new_client() as other:
        await sign_up(other, "eve@example.org")
        uploads, files = f"/api/files/uploads/{opened['upload_id']}", f"/api/files/{file['id']}"
        for answer in (
            await other.post(f"{uploads}/parts", json={"part_numbers": [1]}),
            await other.get(f"{uploads}/parts"),
            await other.delete(uploads),
            await complete(other, opened),
            await other.get(files),
            await other.get(f"{files}/url"),
            await other.delete(files),
            await other.get("/api/files/nonsense/url"),
            await other.get(f"/api/files/{new_id()}/url"),
        ):
            assert error(answer) == (404, "not_found")
        assert (await other.get("/api/files")).json()["items"] == []
    assert (await client.get(f"/api/files/uploads/{opened['upload_id']}/parts")).status_code == 200


async def test_nobody_is_let_in(running_app: RunningApp) -> None:
    client, some = running_app.client, new_id()
    for method, path in (
        ("POST", "/api/files/presign"), ("POST", f"/api/files/uploads/{some}/parts"),
        ("GET", f"/api/files/uploads/{some}/parts"), ("DELETE", f"/api/files/uploads/{some}"),
        ("POST", "/api/files/complete"), ("GET", "/api/files"), ("GET", f"/api/files/{some}"),
        ("GET", f"/api/files/{some}/url"), ("DELETE", f"/api/files/{some}"),
    ):  # fmt: skip
        assert error(await client.request(method, path)) == (401, "unauthenticated")


async def test_public_url(make_app: MakeApp) -> None:
    app = await make_app(public_url="https://transcribe.example.org/")
    await sign_up(app.client)
    opened = await presign(app.client, 5)
    assert opened["url"].startswith("https://transcribe.example.org/api/store/uploads/")
