"""Every named failpoint once: the server kills itself there, and the next one goes on as if nothing had been."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.core import failpoints
from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.db.session import Database
from app.factory import check_settings
from tests.chaos.ledger import (
    ENGINE_PROCESSES,
    WINDOW_SECONDS,
    Ledger,
    check_rows,
    tone_settings,
    write_recording,
)
from tests.fixtures.app import build_settings
from tests.fixtures.receiver import Receiver
from tests.fixtures.server import LiveServer, MakeLiveServer
from tests.fixtures.tone_model import sequence

WINDOWS = 4
STRONG = "wq3nq0Yx7m1c2Kp9Lh5vTz8RjD4sFbUe6XaGiOtN"
SEAL = ("seal.before", "seal.between", "seal.after")
JOB = ("claim.before", "claim.after", "window.before:2", "window.after", "finalize.before", "finalize.after")
MAIL = ("mail.before", "mail.after")
OUTBOX = ("outbox.before", "outbox.after")


def test_each_failpoint_has_its_turn() -> None:
    assert {name.partition(":")[0] for name in (*SEAL, *JOB, *MAIL, *OUTBOX)} == failpoints.NAMES


async def test_an_upload_that_is_cut_off_while_it_is_sealed_is_asked_for_again(
    make_live_server: MakeLiveServer, rng: random.Random
) -> None:
    server = make_live_server(transcription_backend="stub")
    ledger = Ledger(server)
    await asyncio.to_thread(server.start)
    await ledger.sign_up()
    sound = rng.randbytes(100_000)
    upload = await _send(ledger, sound)
    server.kill()
    for point in SEAL:
        await _until_killed(server, point, lambda: _complete(ledger, upload))
    await asyncio.to_thread(server.start)
    answer = await _complete(ledger, upload)
    assert (answer.status_code, answer.json()["id"]) == (200, upload["file_id"])
    async with ledger.client() as client:
        assert [f["id"] for f in (await client.get("/api/files")).json()["items"]] == [upload["file_id"]]
        url = (await client.get(f"/api/files/{upload['file_id']}/url", params={"original": True})).json()
        assert (await client.get(url["url"])).content == sound


async def test_a_job_that_is_cut_off_at_every_step_is_done_once(
    make_live_server: MakeLiveServer, tmp_path: Path, rng: random.Random
) -> None:
    words = sequence(WINDOWS * WINDOW_SECONDS, rng.getrandbits(32))
    server = make_live_server(**tone_settings(tmp_path))
    ledger = Ledger(server)
    recording = write_recording(tmp_path, words)
    server.spawn(FAILPOINTS=JOB[0])
    await asyncio.to_thread(server.wait_healthy)
    await ledger.sign_up()
    with suppress(httpx2.TransportError):  # it may be gone before it has answered
        await ledger.upload(recording)
    await asyncio.to_thread(server.wait_killed)
    for point in JOB[1:]:
        await _until_killed(server, point)
    await asyncio.to_thread(server.start)
    async with ledger.client() as client:
        ledger.accepted = [job["id"] for job in (await client.get("/api/jobs")).json()["items"]]
    (job,) = await ledger.wait()
    assert job["status"] == "completed", job
    assert job["windows"]["executed"] <= WINDOWS + len(JOB) * ENGINE_PROCESSES
    assert (await ledger.results())[0]["text"].split() == words
    assert server.stop() == 0
    server.wait_childless()
    database = Database(server.settings.database_url)
    await check_rows(database, ledger.accepted)
    await database.close()


async def test_a_mail_that_is_cut_off_is_sent_at_least_once(make_live_server: MakeLiveServer) -> None:
    server = make_live_server(transcription_backend="stub")
    ledger = Ledger(server)
    await asyncio.to_thread(server.start)
    await ledger.sign_up()
    server.kill()
    await _until_killed(server, MAIL[0], lambda: _forget_password(ledger))
    assert not _sent(server)
    _let_mails_be_due(server)
    await _until_killed(server, MAIL[1])
    assert _sent(server) == 1
    _let_mails_be_due(server)
    await asyncio.to_thread(server.start)
    await _until_no_mail_waits(server)
    assert _sent(server) == 2  # nobody could know that the second life had sent it


async def test_an_event_that_is_cut_off_arrives_at_least_once_under_one_id(
    make_live_server: MakeLiveServer, receiver: Receiver
) -> None:
    server = make_live_server(transcription_backend="stub", webhook_private_targets=True)
    ledger = Ledger(server)
    server.spawn(FAILPOINTS=OUTBOX[0])
    await asyncio.to_thread(server.wait_healthy)
    await ledger.sign_up()
    async with ledger.client() as client:
        made = await client.post("/api/webhooks", json={"url": receiver.url, "events": ["job.completed"]})
        assert made.status_code == 201, made.text
        with suppress(httpx2.TransportError):
            await client.post("/api/transcribe", files={"file": ("talk.txt", b"Nothing is lost.")})
    await asyncio.to_thread(server.wait_killed)
    assert not receiver.got
    _let_deliveries_be_due(server)
    await _until_killed(server, OUTBOX[1])
    assert len(receiver.got) == 1
    _let_deliveries_be_due(server)
    await asyncio.to_thread(server.start)
    await receiver.wait(2)  # nobody could know that the second life had sent it
    assert len({got.id for got in receiver.got}) == 1, "receivers tell a repetition by its id"


async def _until_killed(
    server: LiveServer, point: str, act: Callable[[], Awaitable[Any]] | None = None
) -> None:
    """A life with this failpoint, in which `act` is done if there is one; its connection may break."""
    server.spawn(FAILPOINTS=point)
    if act is not None:
        await asyncio.to_thread(server.wait_healthy)
        with suppress(httpx2.TransportError):
            await act()
    await asyncio.to_thread(server.wait_killed)


async def _send(ledger: Ledger, sound: bytes) -> dict[str, Any]:
    """Announced and sent, not completed."""
    async with ledger.client() as client:
        asked = {"filename": "tones.wav", "size": len(sound), "content_type": "audio/wav"}
        upload: dict[str, Any] = (await client.post("/api/files/presign", json=asked)).json()
        assert upload["method"] == "single", upload
        sent = await client.put(upload["url"], content=sound, headers=upload["headers"])
        assert sent.is_success, sent.text
    return upload


async def _complete(ledger: Ledger, upload: dict[str, Any]) -> httpx2.Response:
    async with ledger.client() as client:
        return await client.post("/api/files/complete", json={"upload_id": upload["upload_id"]})


async def _forget_password(ledger: Ledger) -> None:
    async with ledger.client() as client:
        await client.post("/api/auth/password/forgot", json={"email": "ada@example.org"})


def _let_mails_be_due(server: LiveServer) -> None:
    """The lease of the dead sender is over."""
    _write(server, "UPDATE mails SET run_after = '2020-01-01 00:00:00.000000' WHERE state = 'pending'")


def _let_deliveries_be_due(server: LiveServer) -> None:
    _write(
        server,
        "UPDATE webhook_deliveries SET next_attempt_at = '2020-01-01 00:00:00.000000' WHERE state = 'pending'",
    )


def _write(server: LiveServer, statement: str) -> None:
    with closing(sqlite3.connect(server.data_dir / "transcribe.db")) as connection, connection:
        connection.execute(statement)


async def _until_no_mail_waits(server: LiveServer) -> None:
    async with asyncio.timeout(240):
        while True:
            with closing(sqlite3.connect(server.data_dir / "transcribe.db")) as connection:
                waiting = connection.execute("SELECT count(*) FROM mails WHERE state = 'pending'").fetchone()
            if waiting == (0,):
                return
            await asyncio.sleep(0.1)


def _sent(server: LiveServer) -> int:
    return len(list((server.data_dir / "mails").glob("*.eml")))


@pytest.mark.parametrize("env", ["local", "prod"])
def test_failpoints_are_refused_outside_of_tests(tmp_path: Path, env: str) -> None:
    settings = _settings(tmp_path, env, "finalize.before")
    with pytest.raises(ConfigurationError, match="ENV=test only"):
        check_settings(settings)


def test_an_unknown_failpoint_is_named(tmp_path: Path) -> None:
    for wrong in ("nowhere", "finalize.before:often"):
        with pytest.raises(ConfigurationError, match="there is no"):
            check_settings(_settings(tmp_path, "test", wrong))


def _settings(tmp_path: Path, env: str, point: str) -> Settings:
    return build_settings(tmp_path, env=env, failpoints=(point,), jwt_secret_key=STRONG)
