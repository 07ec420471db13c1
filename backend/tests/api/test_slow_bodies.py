"""Bodies that come too slowly, under any server: what is counted, and what becomes of what had come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from app.api.edges.slow_bodies import SlowBodyMiddleware
from app.core.patience import Patience
from tests.fixtures.app import MakeApp, sign_up


class Short(Patience):
    """A quarter of a second in place of twenty."""

    def __init__(self) -> None:
        super().__init__(0.25, 1024.0)


def test_silence_uses_patience_up_and_bytes_earn_it_back() -> None:
    patience = Patience(20, 1000)
    patience.waited(15)
    patience.came(3000)
    assert patience.left == pytest.approx(8)
    patience.came(10**9)
    assert patience.left == 20


def test_a_byte_a_second_ends_after_the_idle_time_and_a_kilobyte_goes_on() -> None:
    slow, steady = Patience(20, 1024), Patience(20, 1024)
    seconds = 0
    while slow.left > 0:
        slow.waited(1)
        slow.came(1)
        seconds += 1
    for _ in range(1000):
        steady.waited(1)
        steady.came(1100)
    assert seconds in (20, 21)
    assert steady.left > 18


async def run(messages: list[tuple[float, Message]], reading_takes: float = 0) -> list[Message]:
    """Read a body whose messages come after so many seconds each."""
    read: list[Message] = []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        while True:
            message = await receive()
            read.append(message)
            await asyncio.sleep(reading_takes)
            if not message.get("more_body"):
                break
        read.append(await receive())

    async def receive() -> Message:
        seconds, message = messages.pop(0)
        await asyncio.sleep(seconds)
        return message

    async def send(_message: Message) -> None:
        raise AssertionError("nothing is answered here")

    await SlowBodyMiddleware(app, patience=Short)({"type": "http"}, receive, send)
    return read


def part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_silence_in_a_body_ends_it_with_408() -> None:
    with pytest.raises(HTTPException) as refused:
        await run([(0, part(b"a")), (60, part(b"b", more=False))])
    assert refused.value.status_code == 408
    assert refused.value.headers == {"Connection": "close"}


async def test_drips_do_not_help() -> None:
    with pytest.raises(HTTPException):
        await run([(0.05, part(b"a")) for _ in range(100)])


async def test_waiting_for_the_end_of_an_answer_and_our_own_slowness_do_not_count() -> None:
    """A stream's server waits for hours for `http.disconnect`; a slow disk holds the next read up."""
    gone: Message = {"type": "http.disconnect"}
    read = await run([(0, part(b"a")), (0, part(b"b", more=False)), (0.5, gone)], reading_takes=0.4)
    assert [message["type"] for message in read] == ["http.request", "http.request", "http.disconnect"]


async def test_what_had_come_of_a_recording_is_dropped(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.patience.Patience.__init__.__defaults__", (0.5, 1024.0))
    running = await make_app()
    await sign_up(running.client)

    async def form() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n' + b"a" * 3000
        await asyncio.sleep(60)

    async def body() -> AsyncIterator[bytes]:
        yield b'{"file'
        await asyncio.sleep(60)

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    recording = await running.client.post("/api/transcribe", content=form(), headers=kind)
    json = await running.client.post(
        "/api/jobs", content=body(), headers={"Content-Type": "application/json"}
    )

    for answer in (recording, json):
        assert answer.status_code == 408, answer.text
        assert answer.json()["error"]["code"] == "request_timeout"
        assert answer.headers["connection"] == "close"
    assert (await running.client.get("/api/files")).json()["items"] == []
    kept = [file for file in Path(running.container.settings.storage_dir).rglob("*") if file.is_file()]
    assert [file for file in kept if file.stat().st_size >= 3000] == []
