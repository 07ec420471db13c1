"""Two servers on one Postgres: what happens at one is seen at the other, by a ring and not by looking."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from websockets.asyncio.client import connect

from app.services.identity import doorkeeper
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.redis import RedisServer
from tests.fixtures.sse import ServerEvent, read_events

LONG = 60.0
TEXT = {"file": ("talk.txt", b"Hello there.\n")}


@pytest.fixture(params=["postgres", "redis"])
async def servers(
    request: pytest.FixtureRequest, postgres_url: str, serve_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> tuple[RunningApp, RunningApp]:
    """Here and there, with one account; neither looks by itself while it can hear."""
    monkeypatch.setattr("app.services.jobs.patrol.LOOK_SECONDS", 3600.0)
    redis_url = ""
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        redis_url = server.url
    options = {"database_url": postgres_url, "redis_url": redis_url, "transcription_backend": "stub"}
    here, there = await serve_app(**options), await serve_app(**options)
    await sign_up(here.client)
    there.client.headers["Authorization"] = here.client.headers["Authorization"]
    async with asyncio.timeout(LONG):
        while not (here.container.bus.hears_all and there.container.bus.hears_all):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return here, there


async def submit(app: RunningApp) -> str:
    answer = await app.client.post("/api/transcribe", files=TEXT)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


async def until_end(events: AsyncIterator[ServerEvent]) -> list[ServerEvent]:
    seen: list[ServerEvent] = []
    async with aclosing(events):  # type: ignore[type-var]
        async for event in events:
            seen.append(event)
            if event.type == "end":
                return seen
    return seen


async def test_the_list_at_one_server_hears_of_jobs_at_the_other(
    servers: tuple[RunningApp, RunningApp],
) -> None:
    here, there = servers
    async with asyncio.timeout(LONG), there.client.stream("GET", "/api/jobs/events") as answer:
        assert answer.status_code == 200
        first = asyncio.create_task(until_end(read_events(answer)))
        while there.container.bus.watchers == 0:  # noqa: ASYNC110 (until the stream stands)
            await asyncio.sleep(0.02)
        job_id = await submit(here)
        seen = await first
    assert seen[-1].data == {"job_id": job_id, "status": "completed"}
    numbered = [event.id for event in seen if event.id is not None]
    assert numbered == list(range(1, len(numbered) + 1))


async def test_a_ticket_of_one_server_opens_a_socket_at_the_other_once(
    servers: tuple[RunningApp, RunningApp],
) -> None:
    here, there = servers
    job_id = await submit(here)
    ticket = (await here.client.post("/api/auth/ticket")).json()["ticket"]
    url = f"{there.base_url.replace('http', 'ws', 1)}/ws/jobs/{job_id}?ticket={ticket}"
    async with asyncio.timeout(LONG):
        async with connect(url, origin=None) as socket:
            messages = [json.loads(text) async for text in socket]
        assert messages[-1]["type"] == "end"
        with pytest.raises(Exception, match="403"):
            async with connect(url, origin=None):
                pass


async def test_who_signs_out_at_one_server_is_shown_out_at_the_other(
    servers: tuple[RunningApp, RunningApp],
) -> None:
    here, there = servers
    async with asyncio.timeout(LONG), there.client.stream("GET", "/api/jobs/events") as answer:
        assert (await here.client.post("/api/auth/logout")).status_code == 204
        async for _ in answer.aiter_lines():
            pass  # the stream ends by itself
    assert doorkeeper.CHECK_SECONDS < 5


async def test_an_interrupt_reaches_the_other_server(servers: tuple[RunningApp, RunningApp]) -> None:
    here, there = servers
    job_id = await submit(here)
    stopped = asyncio.Event()
    there.container.bus.on_interrupt.append(lambda _: stopped.set())
    await here.client.delete(f"/api/jobs/{job_id}")
    async with asyncio.timeout(LONG):
        await stopped.wait()


async def test_who_missed_too_much_of_a_list_is_told_to_read_it_anew(
    servers: tuple[RunningApp, RunningApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = servers
    for _ in range(3):
        await submit(here)
    monkeypatch.setattr("app.api.streams.FAR_BEHIND", 2)
    headers = {"Last-Event-ID": "1"}
    async with (
        asyncio.timeout(LONG),
        there.client.stream("GET", "/api/jobs/events", headers=headers) as answer,
    ):
        async for event in read_events(answer):
            assert (event.type, event.data) == ("resync", {})
            assert event.id is not None
            assert event.id > 2
            break
