"""Server-sent events and the WebSocket, over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.sse import ServerEvent, read_events


@pytest.fixture
async def app(serve_app: MakeApp, database_url: str) -> RunningApp:
    running = await serve_app(database_url=database_url, transcription_backend="stub")
    await sign_up(running.client)
    return running


async def submit(client: httpx2.AsyncClient, **options: str) -> str:
    answer = await client.post(
        "/api/transcribe", files={"file": ("talk.txt", b"Hello there.\n\nGood bye.\n")}, data=options
    )
    job_id: str = answer.json()["job_id"]
    return job_id


async def collect(client: httpx2.AsyncClient, path: str, last: int | None = None) -> list[ServerEvent]:
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    async with asyncio.timeout(20), client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200, answer.status_code
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [event async for event in read_events(answer)]


async def test_a_stream_begins_with_the_status_and_ends_with_the_end(app: RunningApp) -> None:
    job_id = await submit(app.client)
    events = await collect(app.client, f"/api/jobs/{job_id}/events")
    assert events[0].type == "status"
    assert events[0].data["id"] == job_id
    assert events[-1].type == "end"
    assert events[-1].data == {"job_id": job_id, "status": "completed"}
    assert events[-2].type == "status"
    assert events[-2].data["status"] == "completed"
    assert all(e.id is None for e in events if e.type == "progress")
    numbered = [e.id for e in events if e.id is not None]
    assert numbered == list(range(numbered[0], numbered[0] + len(numbered)))


async def test_everything_replays_after_an_id_and_the_last_id_gives_204(app: RunningApp) -> None:
    job_id = await submit(app.client)
    path = f"/api/jobs/{job_id}/events"
    await collect(app.client, path)
    replay = await collect(app.client, path, last=0)
    assert [e.id for e in replay] == list(range(1, len(replay) + 1))
    assert [e.type for e in replay] == ["status", "status", "segments", "status", "end"]
    (segments,) = (e.data for e in replay if e.type == "segments")
    result = (await app.client.get(f"/api/jobs/{job_id}/result")).json()
    assert segments["segments"] == result["segments"]
    tail = await collect(app.client, path, last=replay[-2].id)
    assert [e.type for e in tail] == ["end"]
    over = await app.client.get(path, headers={"Last-Event-ID": str(replay[-1].id)})
    assert over.status_code == 204
    again = await collect(app.client, path)
    assert [e.type for e in again] == ["status", "end"]


async def test_the_list_stream_tells_of_every_job_of_the_workspace_only(app: RunningApp) -> None:
    async with app.client.stream("GET", "/api/jobs/events") as answer:
        async with httpx2.AsyncClient(base_url=app.base_url) as stranger:
            await sign_up(stranger, "eve@example.org")
            foreign = await submit(stranger)
        first, second = await submit(app.client), await submit(app.client)
        ended: set[str] = set()
        last = None
        async with asyncio.timeout(20):
            async for event in read_events(answer):
                assert event.data.get("job_id", event.data.get("id")) != foreign
                if event.id is not None:
                    assert last is None or event.id == last + 1
                    last = event.id
                if event.type == "end":
                    ended.add(event.data["job_id"])
                if ended == {first, second}:
                    break
    async with app.client.stream("GET", "/api/jobs/events", headers={"Last-Event-ID": "0"}) as answer:
        async with asyncio.timeout(10):
            async for event in read_events(answer):
                assert event.id == 1
                break


@pytest.mark.parametrize("last", ["999999999", str(2**63), "abc", "-5"])
async def test_a_list_that_names_an_id_of_another_time_is_read_anew(app: RunningApp, last: str) -> None:
    await submit(app.client)
    headers = {"Last-Event-ID": last}
    async with asyncio.timeout(20), app.client.stream("GET", "/api/jobs/events", headers=headers) as answer:
        async for event in read_events(answer):
            assert (event.type, event.data) == ("resync", {})
            break


async def test_a_deleted_job_is_struck_out_of_open_lists_of_its_workspace(app: RunningApp) -> None:
    async with (
        httpx2.AsyncClient(base_url=app.base_url) as stranger,
        app.client.stream("GET", "/api/jobs/events") as ours,
        asyncio.timeout(20),
    ):
        await sign_up(stranger, "eve@example.org")
        async with stranger.stream("GET", "/api/jobs/events") as theirs:
            job_id, events = await submit(app.client), read_events(ours)
            await _until(events, "end")
            assert (await app.client.delete(f"/api/jobs/{job_id}")).status_code == 204
            removed = (await _until(events, "removed"))[-1]
            assert (removed.id, removed.data) == (None, {"job_id": job_id})
            foreign = await submit(stranger)
            told = await _until(read_events(theirs), "end")
            assert {event.data.get("job_id", event.data.get("id")) for event in told} == {foreign}


async def _until(events: AsyncIterator[ServerEvent], kind: str) -> list[ServerEvent]:
    """What comes, up to the first of that kind."""
    seen = []
    async for event in events:
        seen.append(event)
        if event.type == kind:
            return seen
    raise AssertionError(f"the stream ended without {kind}: {seen}")


async def test_row_29_logging_out_ends_open_streams(app: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.streams.HEARTBEAT_SECONDS", 0.2)
    async with app.client.stream("GET", "/api/jobs/events") as answer:
        async with httpx2.AsyncClient(base_url=app.base_url) as other:
            other.headers["Authorization"] = app.client.headers["Authorization"]
            assert (await other.post("/api/auth/logout")).status_code == 204
        async with asyncio.timeout(10):
            async for _ in answer.aiter_lines():
                pass


def socket_url(app: RunningApp, job_id: str, query: str = "") -> str:
    return f"{app.base_url.replace('http', 'ws', 1)}/ws/jobs/{job_id}{query}"


async def messages(socket: Any) -> list[dict[str, Any]]:
    received = []
    async with asyncio.timeout(20):
        try:
            async for text in socket:
                received.append(json.loads(text))
        except ConnectionClosed:
            pass
    return received


async def test_the_socket_sends_the_same_events(app: RunningApp) -> None:
    job_id = await submit(app.client)
    bearer = {"Authorization": app.client.headers["Authorization"]}
    async with connect(socket_url(app, job_id), additional_headers=bearer) as socket:
        received = await messages(socket)
    assert received[0]["type"] == "status"
    assert received[-1] == {
        "type": "end",
        "seq": received[-1]["seq"],
        "data": {"job_id": job_id, "status": "completed"},
    }
    assert socket.close_code == 1000
    async with connect(socket_url(app, job_id, "?since=0"), additional_headers=bearer) as socket:
        replay = await messages(socket)
    assert [m["seq"] for m in replay] == list(range(1, len(replay) + 1))
    for query, last, first in (("", "0", 1), ("", "2", 3), ("?since=1", "3", 2)):
        headers = bearer | {"Last-Event-ID": last}
        async with connect(socket_url(app, job_id, query), additional_headers=headers) as socket:
            assert (await messages(socket))[0]["seq"] == first


async def test_row_35_a_ticket_opens_the_socket_once(app: RunningApp) -> None:
    job_id = await submit(app.client)
    ticket = (await app.client.post("/api/auth/ticket")).json()["ticket"]
    url = socket_url(app, job_id, f"?ticket={ticket}")
    async with connect(url) as socket:
        assert (await messages(socket))[-1]["type"] == "end"
    with pytest.raises(InvalidStatus) as refused:
        await connect(url)
    assert refused.value.response.status_code == 403


async def test_row_35_foreign_origins_and_strangers_are_refused(app: RunningApp) -> None:
    job_id = await submit(app.client)
    bearer = {"Authorization": app.client.headers["Authorization"]}
    for headers in ({}, {"Authorization": "Bearer nonsense"}, bearer | {"Origin": "https://evil.example"}):
        with pytest.raises(InvalidStatus) as refused:
            await connect(socket_url(app, job_id), additional_headers=headers)
        assert refused.value.response.status_code == 403
    async with httpx2.AsyncClient(base_url=app.base_url) as stranger:
        await sign_up(stranger, "eve@example.org")
        theirs = {"Authorization": stranger.headers["Authorization"]}
        async with connect(socket_url(app, job_id), additional_headers=theirs) as socket:
            assert await messages(socket) == []
        assert socket.close_code == 4404


async def waiting_job(app: RunningApp) -> tuple[str, dict[str, str]]:
    """A job that stays pending, and who may watch it."""
    bearer = {"Authorization": app.client.headers["Authorization"]}
    workspace_id = (await app.client.get("/api/workspaces")).json()["items"][0]["id"]
    quotas = await app.client.patch(f"/api/admin/workspaces/{workspace_id}/quotas", json={"parallel_jobs": 0})
    assert quotas.status_code == 200, quotas.text
    return await submit(app.client), bearer


async def test_row_36_twenty_sockets_an_account(serve_app: MakeApp, database_url: str) -> None:
    """The next one is told why and closed; one that goes makes room; nobody else is kept out."""
    app = await serve_app(
        database_url=database_url, transcription_backend="stub", rate_limit_enabled="on", rate_limit_sockets=3
    )
    await sign_up(app.client, setup_token=app.container.identity.registration.setup_token)
    job_id, bearer = await waiting_job(app)
    async with AsyncExitStack() as held:
        sockets = [
            await held.enter_async_context(connect(socket_url(app, job_id), additional_headers=bearer))
            for _ in range(3)
        ]
        for socket in sockets:
            assert json.loads(await socket.recv())["type"] == "status"
        async with connect(socket_url(app, job_id), additional_headers=bearer) as fourth:
            assert await messages(fourth) == []
        assert fourth.close_code == 4429
        assert "3 live connections" in fourth.close_reason
        async with httpx2.AsyncClient(base_url=app.base_url) as stranger:
            await sign_up(stranger, "eve@example.org")
            theirs = {"Authorization": stranger.headers["Authorization"]}
            async with connect(socket_url(app, job_id), additional_headers=theirs) as socket:
                assert await messages(socket) == []
            assert socket.close_code == 4404
        await sockets[0].close()
        async with connect(socket_url(app, job_id), additional_headers=bearer) as socket:
            assert json.loads(await socket.recv())["type"] == "status"


async def test_row_36_a_hundred_messages_a_minute(serve_app: MakeApp, database_url: str) -> None:
    app = await serve_app(database_url=database_url, transcription_backend="stub", rate_limit_enabled="on")
    await sign_up(app.client, setup_token=app.container.identity.registration.setup_token)
    job_id, bearer = await waiting_job(app)
    async with connect(socket_url(app, job_id), additional_headers=bearer) as socket:
        for _ in range(100):
            await socket.send("hello")
        with pytest.raises(TimeoutError):  # a hundred are no reason to close it
            await asyncio.wait_for(socket.wait_closed(), 2)
        await socket.send("once more")
        async with asyncio.timeout(20):
            await socket.wait_closed()
    assert socket.close_code == 1008
