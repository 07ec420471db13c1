"""What browsers may keep: reads are asked after each time, secrets are kept nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.api.edges.caching import CachingMiddleware, is_known
from tests.fixtures.app import MakeApp, RunningApp, sign_up


async def test_an_unchanged_read_is_a_304_without_a_body(running_app: RunningApp) -> None:
    client = running_app.client
    await sign_up(client)
    for path in ("/api/jobs", "/api/files", "/api/workspaces", "/api/options"):
        first = await client.get(path)
        assert first.headers["cache-control"] == "private, no-cache", path
        assert {"Authorization", "X-Workspace-Id"} <= set(first.headers["vary"].split(", "))
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert "content-type" not in again.headers
        assert again.headers["x-content-type-options"] == "nosniff"


async def test_a_change_gives_another_tag(make_app: MakeApp) -> None:
    client = (await make_app()).client
    me = await sign_up(client)
    workspace = me["user"]["workspaces"][0]["id"]
    first = await client.get(f"/api/workspaces/{workspace}")
    await client.patch(f"/api/workspaces/{workspace}", json={"name": "Other"})
    known = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(f"/api/workspaces/{workspace}", headers=known)).status_code == 200


async def test_row_55_a_tag_of_somebody_else_opens_nothing(make_app: MakeApp) -> None:
    running = await make_app()
    me = await sign_up(running.client)
    workspace = me["user"]["workspaces"][0]["id"]
    mine = await running.client.get(f"/api/workspaces/{workspace}")
    async with running.new_client() as other:
        await sign_up(other, "bob@example.org")
        for tag in (mine.headers["etag"], "*"):
            answer = await other.get(f"/api/workspaces/{workspace}", headers={"If-None-Match": tag})
            assert answer.status_code == 404
    nobody = await running.new_client().get("/api/jobs", headers={"If-None-Match": "*"})
    assert nobody.status_code == 401


async def test_row_55_secrets_changes_and_errors_are_kept_nowhere(make_app: MakeApp) -> None:
    running = await make_app()
    client = running.client
    me = await sign_up(client)
    workspace = me["user"]["workspaces"][0]["id"]
    announced = await client.post("/api/files/presign", json={"filename": "a.txt", "size": 3})
    upload = announced.json()
    await client.put(upload["url"], content=b"abc", headers=upload["headers"])
    await client.post("/api/files/complete", json={"upload_id": upload["upload_id"]})
    answers = [
        announced,
        await client.get(f"/api/files/{upload['file_id']}/url"),
        await client.post(f"/api/workspaces/{workspace}/api-keys", json={"name": "script"}),
        await client.post("/api/auth/ticket"),
        await client.get("/api/auth/me"),
        await client.get("/api/auth/export"),
        await client.get("/api/auth/totp"),
        await client.get("/api/jobs/0198"),
        await client.get("/api/shares/made-up"),
        await running.new_client().get("/api/jobs"),
    ]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store", answer.url
        assert "etag" not in answer.headers


async def send_through(
    messages: list[Message], *, method: str = "GET", headers: list[tuple[bytes, bytes]] | None = None
) -> list[Message]:
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": method, "path": "/api/x", "headers": headers or []}
    await CachingMiddleware(app)(scope, receive, send)
    return sent


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(content: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def test_streams_pass_as_they_come() -> None:
    sent = await send_through([start(), body(b"a", more=True), body(b"b")])
    assert [message.get("body") for message in sent] == [None, b"a", b"b"]
    assert (b"cache-control", b"no-store") in sent[0]["headers"]


async def test_what_a_route_says_itself_stays() -> None:
    said = (b"cache-control", b"private, max-age=86400")
    sent = await send_through([start(200, said), body(b"a")])
    assert sent[0]["headers"] == [said]


async def test_large_answers_are_tagged_like_small_ones() -> None:
    large = b"a" * 1_000_000
    sent = await send_through([start(), body(large)])
    tag = dict(sent[0]["headers"])[b"etag"]
    again = await send_through([start(), body(large)], headers=[(b"if-none-match", b"W/" + tag)])
    assert (again[0]["status"], again[1]["body"]) == (304, b"")
    assert (await send_through([start(), body(large)], method="POST"))[0]["status"] == 200


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (None, False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ("*", True),
        ('"b"', False),
        ("a", False),
    ],
)
def test_tags_are_compared_weakly(header: str | None, known: bool) -> None:
    assert is_known(header, '"a"') is known
