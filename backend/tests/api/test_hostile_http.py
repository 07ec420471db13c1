"""Requests that are made to hurt a parser: ranges, forms, JSON; and the limit on every body (threat rows 37, 40)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import httpx2
import psutil
import pytest

from tests.fixtures.app import MakeApp, RunningApp, sign_up

PROMPT_SECONDS = 5.0  # a tenth of a second on an idle machine
SOME_ID = "01980000-0000-7000-8000-000000000000"


async def upload(client: httpx2.AsyncClient, content: bytes = b"abc" * 1000) -> str:
    announced = await client.post("/api/files/presign", json={"filename": "a.txt", "size": len(content)})
    sent = announced.json()
    await client.put(sent["url"], content=content, headers=sent["headers"])
    await client.post("/api/files/complete", json={"upload_id": sent["upload_id"]})
    url: str = (await client.get(f"/api/files/{sent['file_id']}/url")).json()["url"]
    return url


async def test_row_37_ten_thousand_ranges_are_one_answer(make_app: MakeApp) -> None:
    """RFC 9110 lets a server ignore several ranges; none is cut out and none is joined."""
    client = (await make_app()).client
    await sign_up(client)
    url = await upload(client)
    began = time.monotonic()
    ranges = "bytes=" + ",".join(f"{n}-{n + 1}" for n in range(10_000))
    answer = await client.get(url, headers={"Range": ranges})
    assert time.monotonic() - began < PROMPT_SECONDS
    assert (answer.status_code, len(answer.content)) == (200, 3000)
    assert "multipart" not in answer.headers["content-type"]


@pytest.mark.parametrize("case", ["parts", "boundary", "headers", "unclosed"])
async def test_row_37_forms_without_measure_are_refused_early(make_app: MakeApp, case: str) -> None:
    client = (await make_app()).client
    await sign_up(client)
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        pieces = {
            "parts": [part] * 10_000,
            "boundary": [part],
            "headers": [b"--x\r\nContent-Disposition: " + b"a" * 65536] + [b"a" * 65536] * 300,
            "unclosed": [b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'] + [b"b" * 65536] * 300,
        }[case]
        for piece in pieces:
            sent += len(piece)
            yield piece

    boundary = "b" * (1 << 20) if case == "boundary" else "x"
    memory, began = psutil.Process().memory_info().rss, time.monotonic()
    answer = await client.post(
        "/api/transcribe",
        content=body(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    assert time.monotonic() - began < PROMPT_SECONDS
    assert answer.status_code == 422, answer.text
    assert sent < 2 * 1024 * 1024
    assert psutil.Process().memory_info().rss - memory < 50 * 1024 * 1024


NONSENSE = [
    b"NaN",
    b"Infinity",
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b"9" * 10_000,
    b"1e999",
    b'"\\ud800"',
    b"\xff\xfe",
    b"[]",
    b"null",
]


async def test_row_40_no_json_breaks_anything(running_app: RunningApp) -> None:
    """As a whole body and as the value of every field: a sentence, quickly, and never a 5xx."""
    client = running_app.client
    await sign_up(client)
    targets = [
        ("POST", "/api/jobs", ("file_id", "speakers", "prompt", "vocabulary", "fresh", "language")),
        ("POST", "/api/files/presign", ("filename", "size", "content_type")),
        ("POST", "/api/auth/login", ("email", "password", "code")),
    ]
    for method, path, fields in targets:
        bodies = [(value, None) for value in NONSENSE]
        bodies += [
            (b'{"' + name.encode() + b'": ' + value + b"}", name) for name in fields for value in NONSENSE
        ]
        for content, name in bodies:
            began = time.monotonic()
            answer = await client.request(
                method, path, content=content, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in (401, 422), (path, name, content[:40], answer.text)
            assert time.monotonic() - began < PROMPT_SECONDS
            assert answer.json()["error"]["code"] in ("validation_error", "file_empty", "unauthenticated")


async def test_row_40_json_is_32_levels_deep_at_most(running_app: RunningApp) -> None:
    """Counted before anything is parsed; brackets within strings are text."""
    client = running_app.client
    await sign_up(client)
    for levels, tells in ((31, False), (32, True)):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            deep = b'{"prompt": ' + opening * levels + b"1" + closing * levels + b"}"
            answer = await client.post(
                "/api/jobs", content=deep, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 422
            assert ("deeper than 32" in answer.json()["error"]["message"]) is tells, answer.text
            assert (answer.json()["error"].get("field") == "body") is tells
    text = json.dumps({"file_id": str(uuid4()), "prompt": '["{' * 60 + "\\"})
    answer = await client.post("/api/jobs", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 404, answer.text


QUESTIONS = [
    "limit=0",
    "limit=101",
    "limit=1e9",
    "limit=NaN",
    "limit=" + "9" * 5000,
    "cursor=%00",
    "cursor=" + "a" * 500,
    "status=nonsense",
    "q=" + "a" * 201,
    "q=%00",
]


async def test_row_40_lists_take_no_measureless_questions(make_app: MakeApp) -> None:
    client = (await make_app()).client
    await sign_up(client)
    for query in QUESTIONS:
        answer = await client.get(f"/api/jobs?{query}")
        assert answer.status_code == 422, (query[:40], answer.text)


async def test_row_40_a_search_is_words_and_no_pattern(running_app: RunningApp) -> None:
    client = running_app.client
    await sign_up(client)
    for pattern in ("%", "_", "(a+)+$", "[", "\\", "' OR 1=1 --"):
        answer = await client.get("/api/jobs", params={"q": pattern})
        assert (answer.status_code, answer.json()["items"]) == (200, []), pattern


async def test_every_body_has_a_limit(make_app: MakeApp) -> None:
    """A mebibyte for JSON and forms, whatever the route; recordings have routes that count for themselves."""
    running = await make_app()
    await sign_up(running.client)
    large = b'{"a": "' + b"a" * (1 << 20) + b'"}'
    tried = 0
    for path, operations in running.app.openapi()["paths"].items():
        for method, operation in operations.items():
            kinds: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
            kind = next((k for k in kinds if k != "multipart/form-data"), None)
            if kind is None:
                continue
            address = re.sub(r"\{\w+\}", SOME_ID, path)
            answer = await running.client.request(
                method, address, content=large, headers={"Content-Type": kind}
            )
            assert answer.status_code == 413, (method, path, answer.status_code, answer.text[:200])
            assert answer.json()["error"]["code"] == "file_too_large"
            tried += 1
    assert tried > 30


async def test_who_hangs_up_in_the_middle_of_an_upload_is_no_error_of_the_servers(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await make_app()
    await sign_up(running.client)
    log = Mock()
    monkeypatch.setattr("app.api.errors.log", log)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    messages = iter([{"type": "http.request", "body": head + b"RIFF" * 100, "more_body": True}])
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = {
        "host": "127.0.0.1",
        "authorization": running.client.headers["Authorization"],
        "content-type": "multipart/form-data; boundary=x",
        "content-length": "70000",
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/transcribe",
        "raw_path": b"/api/transcribe",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    # Plain dictionaries stand for the framework's own kinds of message here.
    await running.app(scope, receive, send)  # type: ignore[arg-type]
    assert [call.args for call in log.method_calls] == [("client_went_away",)]
    assert sent[0]["status"] == 400
    assert (await running.client.get("/api/files")).json()["items"] == []
