"""A server that is asked to stop, and engines that die, in the middle of a job. For kill -9 of it see tests/chaos."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil

from tests.fixtures import scripted_model
from tests.fixtures.app import sign_up
from tests.fixtures.server import LiveServer, MakeLiveServer
from tests.fixtures.tone_model import build, sequence, tones
from tests.fixtures.wav import write_wav


async def upload(client: httpx2.AsyncClient, file: Path) -> str:
    answer = await client.post(
        "/api/transcribe",
        files={"file": (file.name, file.read_bytes())},
        data={"vad": "off", "fresh": "true"},
    )
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


async def wait_for(
    server: LiveServer, job_id: str, headers: dict[str, str], *, windows: int | None = None
) -> dict[str, Any]:
    """The job once it is final, or once so many windows are committed."""
    async with asyncio.timeout(600), server.client(headers=headers) as client:
        while True:
            job = (await client.get(f"/api/jobs/{job_id}")).json()
            if job["status"] in ("completed", "failed", "cancelled"):
                return job
            if windows is not None and job["windows"]["committed"] >= windows:
                return job
            await asyncio.sleep(0.02)


async def test_sigterm_hands_the_job_back_without_an_attempt(
    make_live_server: MakeLiveServer, tmp_path: Path
) -> None:
    model = tmp_path / "tone.bin"
    build(model)
    words = sequence(6 * 30, seed=3)
    recording = write_wav(tmp_path / "tones.wav", tones(words))
    server = make_live_server(whisper_model=str(model), engine_processes=1)
    server.start()
    async with server.client() as client:
        await sign_up(client)
        headers = {"Authorization": client.headers["Authorization"]}
        job_id = await upload(client, recording)
        stream = client.stream("GET", f"/api/jobs/{job_id}/events")
        async with stream as answer:
            assert answer.status_code == 200
            await wait_for(server, job_id, headers, windows=2)
            assert server.process is not None
            server.process.terminate()
            server.process.terminate()  # service managers and make both send it
            async for _ in answer.aiter_lines():
                pass  # the server ends the stream by itself
    assert server.process.wait(30) in (0, -15)
    server.wait_childless()
    server.start()
    job = await wait_for(server, job_id, headers)
    assert (job["status"], job["attempt"]) == ("completed", 1)
    assert job["windows"]["executed"] == job["windows"]["planned"] == 6


async def test_row_6_a_killed_engine_costs_one_window(
    make_live_server: MakeLiveServer, tmp_path: Path
) -> None:
    model = tmp_path / "tone.bin"
    build(model)
    recording = write_wav(tmp_path / "tones.wav", tones(sequence(8 * 30, seed=5)))
    server = make_live_server(whisper_model=str(model), engine_processes=1)
    server.start()
    async with server.client() as client:
        await sign_up(client)
        headers = {"Authorization": client.headers["Authorization"]}
        job_id = await upload(client, recording)
        await wait_for(server, job_id, headers, windows=2)
        (engine,) = engines_of(server)
        engine.kill()
        job = await wait_for(server, job_id, headers)
    assert job["status"] == "completed", job
    assert job["windows"]["executed"] <= job["windows"]["planned"] + 1
    assert server.process is not None
    assert server.process.poll() is None


async def test_row_6_two_crashes_on_one_window_set_the_job_aside_and_a_retry_goes_on(
    make_live_server: MakeLiveServer, tmp_path: Path
) -> None:
    """Crashes of native code, whatever the try: somebody has to hear which window it is, and what was said last."""
    model = scripted_model.build("tiny", tmp_path / "tiny.bin")
    recording = write_wav(tmp_path / "tones.wav", tones(sequence(2 * 30, seed=5)))
    server = make_live_server(whisper_model=str(model), engine_processes=1)
    server.start()
    async with server.client() as client:
        await sign_up(client)
        headers = {"Authorization": client.headers["Authorization"]}
        job_id = await upload(client, recording)
        await wait_for(server, job_id, headers, windows=1)
        crashing = asyncio.create_task(crash_in_every_window(server, model))
        job = await wait_for(server, job_id, headers)
        crashing.cancel()
        assert (job["status"], job["error"]["code"]) == ("failed", "quarantined"), job
        assert f"window {job['error']['window'] + 1}" in job["error"]["message"]
        assert "Segmentation fault" in job["error"]["log_tail"]
        assert str(tmp_path) not in job["error"]["log_tail"]
        assert job["error"]["advice"]
        kept = await client.get(f"/api/jobs/{job_id}/result", params={"partial": "true"})
        assert kept.json()["segments"]
        assert (await client.post(f"/api/jobs/{job_id}/retry")).status_code == 200
        job = await wait_for(server, job_id, headers)
    assert job["status"] == "completed", job
    assert job["windows"]["executed"] <= job["windows"]["planned"] + 2


def engines_of(server: LiveServer) -> list[psutil.Process]:
    """The engine's processes that are there now."""
    found = []
    for process in server.descendants():
        with suppress(psutil.NoSuchProcess):
            if "engine_child" in " ".join(process.cmdline()):
                found.append(process)
    return found


async def crash_in_every_window(server: LiveServer, model: Path) -> None:
    """Each engine process gets SIGSEGV once it has its model and has been at work on a window for a while."""
    loaded: dict[int, float] = {}
    while True:
        for engine in engines_of(server):
            with suppress(psutil.NoSuchProcess):
                spent = engine.cpu_times().user
                if engine.pid not in loaded:
                    if any(Path(file.path) == model for file in engine.open_files()):
                        loaded[engine.pid] = spent
                elif (
                    spent > loaded[engine.pid] + 0.7
                ):  # loading takes a tenth of that, a window three times as long
                    engine.send_signal(signal.SIGSEGV)
        await asyncio.sleep(0.05)
