"""/api/store: signed addresses, exact lengths, ranges, and headers that keep browsers harmless."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx2
import pytest

from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.files import MIB, WAV, altered, complete, file_url, presign, send_parts, upload
from tests.fixtures.server import MakeLiveServer


@pytest.fixture
async def app(make_app: MakeApp) -> RunningApp:
    """Signatures and ranges do not depend on the database: one kind is enough."""
    app = await make_app()
    await sign_up(app.client)
    return app


def error(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    "changes",
    [
        {"size": "6"}, {"offset": "1"}, {"expires": "9999999999"}, {"signature": ""}, {"signature": "x" * 43},
        {"drop": "size"}, {"drop": "offset"}, {"drop": "expires"}, {"drop": "signature"}, {"more": "1"},
    ],
)  # fmt: skip
async def test_altered_put(app: RunningApp, changes: dict[str, str]) -> None:
    opened = await presign(app.client, 5)
    async with app.new_client() as anyone:
        answer = await anyone.put(altered(opened["url"], **changes), content=b"hello")
        assert error(answer) == (403, "forbidden")
        assert "altered" in answer.json()["error"]["message"]
        assert (await anyone.put(opened["url"], content=b"hello")).status_code == 200


async def test_addresses_are_good_for_one_thing_each(app: RunningApp) -> None:
    first, second = await presign(app.client, 5), await presign(app.client, 5)
    big = await presign(app.client, 17 * MIB)
    signed = await app.client.post(
        f"/api/files/uploads/{big['upload_id']}/parts", json={"part_numbers": [1, 2]}
    )
    one, two = (part["url"] for part in signed.json()["parts"])
    for url, other in ((first["url"], second["url"]), (one, two)):
        answer = await app.client.put(altered(url, path=urlsplit(other).path), content=b"hello")
        assert error(answer) == (403, "forbidden")
    assert (await app.client.get(first["url"])).status_code in (404, 405)
    file = await upload(app.client)
    url = await file_url(app.client, file["id"])
    assert (await app.client.put(url, content=WAV)).status_code in (404, 405)
    foreign = altered(url, path=urlsplit(url).path.replace("original", "rendition"))
    assert error(await app.client.get(foreign)) == (403, "forbidden")


async def test_expired(make_app: MakeApp) -> None:
    app = await make_app(url_ttl_seconds=5)
    await sign_up(app.client)
    opened, file = await presign(app.client, 5), await upload(app.client)
    url = await file_url(app.client, file["id"])
    await asyncio.sleep(6.1)
    for answer in (await app.client.put(opened["url"], content=b"hello"), await app.client.get(url)):
        assert error(answer) == (403, "forbidden")
        assert "expired" in answer.json()["error"]["message"]
    renewed = await app.client.post(
        f"/api/files/uploads/{opened['upload_id']}/parts", json={"part_numbers": [1]}
    )
    put = await app.client.put(renewed.json()["parts"][0]["url"], content=b"hello")
    assert put.status_code == 200
    assert (await app.client.get(await file_url(app.client, file["id"]))).content == WAV


@pytest.mark.parametrize("body", [b"", b"hell", b"hello!", bytes(10 * MIB)])
async def test_row_16_wrong_length(app: RunningApp, body: bytes) -> None:
    opened = await presign(app.client, 5)
    answer = await app.client.put(opened["url"], content=body)
    assert error(answer) == (403, "forbidden")
    assert "exactly 5 bytes" in answer.json()["error"]["message"]
    assert (await complete(app.client, opened)).status_code == 409


async def test_row_17_a_sealed_object_never_changes(app: RunningApp) -> None:
    opened = await presign(app.client, len(WAV))
    await app.client.put(opened["url"], content=WAV)
    await complete(app.client, opened)
    answer = await app.client.put(opened["url"], content=bytes(len(WAV)))
    assert error(answer) == (403, "forbidden")
    assert (await app.client.get(await file_url(app.client, opened["file_id"]))).content == WAV


async def test_put_over_a_socket(serve_app: MakeApp) -> None:
    app = await serve_app()
    await sign_up(app.client)
    opened = await presign(app.client, 5)

    async def chunks() -> object:
        yield b"hello"

    chunked = await app.client.put(opened["url"], content=chunks())  # type: ignore[arg-type]
    assert error(chunked) == (411, "length_required")

    url = urlsplit(opened["url"])
    for sent in (b"hel", b""):  # the connection is cut in the middle of the body
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
        writer.write(head.encode() + sent)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        del reader
    listing = await app.client.get(f"/api/files/uploads/{opened['upload_id']}/parts")
    assert listing.json() == {"parts": []}
    await asyncio.sleep(0.1)
    assert list((app.settings.storage_dir / "tmp").iterdir()) == []
    await send_parts(app.client, opened, b"hello")
    assert (await complete(app.client, opened)).status_code == 200


async def test_a_listener_that_leaves_does_not_hold_the_file(serve_app: MakeApp) -> None:
    app = await serve_app()
    await sign_up(app.client)
    file = await upload(app.client, WAV + bytes(20 * MIB))
    url = await file_url(app.client, file["id"])
    for _ in range(5):
        async with app.client.stream("GET", url) as answer:
            async for _block in answer.aiter_raw():
                break
    got = await app.client.get(url, headers={"Range": f"bytes=-{5 * MIB}"})
    assert len(got.content) == 5 * MIB


RANGES = [
    (None, 200, (0, 10)),
    ("bytes=0-", 206, (0, 10)),
    ("bytes=0-0", 206, (0, 1)),
    ("bytes=3-6", 206, (3, 7)),
    ("BYTES = 3 - 6", 206, (3, 7)),
    ("bytes=9-", 206, (9, 10)),
    ("bytes=5-999", 206, (5, 10)),
    ("bytes=-3", 206, (7, 10)),
    ("bytes=-999", 206, (0, 10)),
    ("bytes=10-", 416, None),
    ("bytes=10-20", 416, None),
    ("bytes=-0", 416, None),
    ("bytes=6-3", 200, (0, 10)),
    ("bytes=-", 200, (0, 10)),
    ("bytes=0-1,3-4", 200, (0, 10)),
    ("bytes=a-b", 200, (0, 10)),
    ("bytes=٣-٦", 200, (0, 10)),
    ("items=0-1", 200, (0, 10)),
    ("bytes=" + "9" * 40 + "-", 200, (0, 10)),
]


@pytest.mark.parametrize(("header", "status", "slice_"), RANGES)
async def test_ranges(
    app: RunningApp, header: str | None, status: int, slice_: tuple[int, int] | None
) -> None:
    data = b"0123456789"
    url = await file_url(app.client, (await upload(app.client, data, "a.mp3"))["id"])
    headers = {} if header is None else {"Range": header.encode()}
    for method in ("GET", "HEAD"):
        answer = await app.client.request(method, url, headers=headers)
        assert answer.status_code == status
        assert answer.headers["accept-ranges"] == "bytes"
        if slice_ is None:
            assert answer.headers["content-range"] == "bytes */10"
            continue
        start, end = slice_
        assert answer.content == (data[start:end] if method == "GET" else b"")
        assert answer.headers["content-length"] == str(end - start)
        assert answer.headers.get("content-range") == (
            f"bytes {start}-{end - 1}/10" if status == 206 else None
        )


async def test_conditions(app: RunningApp) -> None:
    url = await file_url(app.client, (await upload(app.client, b"0123456789", "a.mp3"))["id"])
    etag = (await app.client.get(url)).headers["etag"]
    fresh = await app.client.get(url, headers={"If-None-Match": etag})
    assert (fresh.status_code, fresh.content) == (304, b"")
    part = {"Range": "bytes=2-3"}
    assert (await app.client.get(url, headers=part | {"If-Range": etag})).content == b"23"
    assert (await app.client.get(url, headers=part | {"If-Range": '"other"'})).status_code == 200


HTML = b"<html><script>alert(1)</script></html>"


@pytest.mark.parametrize(
    ("filename", "declared", "served", "kind"),
    [
        ("evil.mp3", None, "audio/mpeg", "inline"),
        ("evil.html", "text/html", "application/octet-stream", "attachment"),
        ("evil.svg", "image/svg+xml", "application/octet-stream", "attachment"),
        ("evil", "audio/html", "application/octet-stream", "attachment"),
        ("evil.mp3", "text/html", "audio/mpeg", "inline"),
        ("notes.txt", "text/plain", "application/octet-stream", "attachment"),
        ("talk.mkv", None, "video/x-matroska", "inline"),
    ],
)
async def test_row_11_never_a_page(
    app: RunningApp, filename: str, declared: str | None, served: str, kind: str
) -> None:
    file = await upload(app.client, HTML, filename, content_type=declared)
    url = await file_url(app.client, file["id"])
    async with app.new_client() as anyone:
        answer = await anyone.get(url)
        assert answer.content == HTML
        assert answer.headers["content-type"] == served
        assert answer.headers["content-disposition"].startswith(kind)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"].startswith("private, max-age=")
        for change in ({"type": "text/html"}, {"name": "x.html"}, {"download": "1"}):
            assert error(await anyone.get(altered(url, **change))) == (403, "forbidden")


@pytest.mark.parametrize(
    "name", ["Запись.mp3", "تسجيل.mp3", "🎙️.mp3", 'say "hi".mp3', "50%; a=b.mp3", "a&b=c#d?.mp3"]
)
async def test_names_in_any_script(app: RunningApp, name: str) -> None:
    file = await upload(app.client, WAV, name)
    answer = await app.client.get(await file_url(app.client, file["id"], download=True))
    kind, _, encoded = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert kind.startswith('attachment; filename="')
    assert unquote(encoded) == name


@pytest.mark.slow
async def test_row_20_signatures_stay_out_of_the_log(make_live_server: MakeLiveServer) -> None:
    server = make_live_server(transcription_backend="stub")
    server.start()
    async with server.client() as client:
        await sign_up(client)
        file = await upload(client)
        url = await file_url(client, file["id"])
        assert (await client.get(url)).status_code == 200
        assert (await client.get(url + "0")).status_code == 403
    assert "/api/store/objects/" in server.log()
    assert "signature=" not in server.log()
    assert dict(parse_qsl(urlsplit(url).query))["signature"] not in server.log()
