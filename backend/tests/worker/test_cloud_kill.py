"""A server that is killed while a provider is at work: the next one finds the work by its id."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.api.test_jobs import wait_final
from tests.fixtures.app import sign_up
from tests.fixtures.providers import AAI_KEY, FakeProviders, spoken
from tests.fixtures.server import MakeLiveServer
from tests.fixtures.wav import write_wav


@pytest.mark.slow
async def test_a_killed_server_goes_on_with_what_was_submitted(
    make_live_server: MakeLiveServer, providers: FakeProviders, tmp_path: Path
) -> None:
    providers.polls = 10_000
    providers.script = lambda _audio, _asked: spoken(("A", "Still here.", 100))
    server = make_live_server(**(providers.settings | {"cloud_timeout_seconds": 10}))
    await asyncio.to_thread(server.start)
    sound = write_wav(tmp_path / "talk.wav", np.zeros(80_000, np.float32)).read_bytes()
    async with server.client() as client:
        await sign_up(client)
        form = {"engine": "assemblyai", "vad": "off"}
        answer = await client.post("/api/transcribe", files={"file": ("talk.wav", sound)}, data=form)
        job_id = answer.json()["job_id"]
        async with asyncio.timeout(20):
            while not any(request.path.endswith("/t-1") for request in providers.requests):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await asyncio.to_thread(server.kill)
        providers.transcripts["t-1"].polls_left = 0
        await asyncio.to_thread(server.start)
        job = await wait_final(client, job_id)
    assert (job["status"], job["windows"]["executed"]) == ("completed", 1), job
    assert set(providers.submissions.values()) == {1}
    assert len(providers.uploads) == 1
    assert AAI_KEY not in server.log()
    await asyncio.to_thread(server.stop)
