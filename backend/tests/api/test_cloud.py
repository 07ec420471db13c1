"""Providers through HTTP: what is offered, what is refused, and one recording all the way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.api.test_jobs import wait_final
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.providers import FakeProviders, spoken
from tests.fixtures.wav import write_wav
from tests.unit.asr.test_remote_openai import QUICK


@pytest.fixture
async def app(make_app: MakeApp, providers: FakeProviders) -> RunningApp:
    running = await make_app(**providers.settings)
    running.container.cloud.assemblyai.patience = QUICK
    await sign_up(running.client)
    return running


async def send(app: RunningApp, tmp_path: Path, **fields: str) -> Any:
    sound = write_wav(tmp_path / "talk.wav", np.zeros(80_000, np.float32)).read_bytes()
    return await app.client.post("/api/transcribe", files={"file": ("talk.wav", sound)}, data=fields)


async def test_a_dialogue_goes_to_assemblyai_and_comes_back(
    app: RunningApp, providers: FakeProviders, tmp_path: Path
) -> None:
    providers.script = lambda _audio, _asked: spoken(("A", "Good morning.", 200), ("B", "Hello.", 2_000))
    answer = await send(app, tmp_path, engine="assemblyai", mode="dialogue", vad="off")
    assert answer.status_code == 202, answer.text
    job = await wait_final(app.client, answer.json()["job_id"])
    assert (job["status"], job["engine"], job["model"]) == ("completed", "assemblyai", "universal-3-5-pro"), (
        job
    )
    result = (await app.client.get(f"/api/jobs/{job['id']}/result")).json()
    assert [(s["speaker"], s["text"]) for s in result["segments"]] == [
        ("A", "Good morning."),
        ("B", "Hello."),
    ]
    assert "no_speakers" not in [w["code"] for w in job["warnings"]]
    async with asyncio.timeout(5):
        while not providers.transcripts["t-1"].deleted:  # noqa: ASYNC110 (the fake has no event for it)
            await asyncio.sleep(0.02)


async def test_providers_are_offered_with_their_models(app: RunningApp, providers: FakeProviders) -> None:
    engines = {e["name"]: e for e in (await app.client.get("/api/options")).json()["engines"]}
    for name, models in (("assemblyai", ["universal-3-5-pro", "universal-2"]), ("openai", ["whisper-1"])):
        assert (engines[name]["cloud"], engines[name]["available"]) == (True, True)
        assert engines[name]["models"] == models
    assert engines["assemblyai"]["speakers"]
    assert providers.requests == []  # offering asks nobody


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"engine": "assemblyai"}, "cloud_not_configured", "engine"),
        ({"engine": "openai", "model": "gpt-9"}, "validation_error", "model"),
        ({"engine": "assemblyai", "translate": "true"}, "validation_error", "translate"),
    ],
)
async def test_what_can_never_run_is_refused_at_once(
    make_app: MakeApp, providers: FakeProviders, tmp_path: Path, fields: dict[str, str], code: str, field: str
) -> None:
    running = await make_app(**(providers.settings | {"assemblyai_api_key": ""}))
    await sign_up(running.client)
    answer = await send(running, tmp_path, **fields)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["field"].split(".")[-1]) == (code, field)


async def test_a_workspace_that_forbids_providers(
    app: RunningApp, providers: FakeProviders, tmp_path: Path
) -> None:
    me = (await app.client.get("/api/auth/me")).json()
    workspace = me["workspaces"][0]["id"]
    changed = await app.client.patch(f"/api/workspaces/{workspace}/settings", json={"allow_cloud": False})
    assert changed.status_code == 200, changed.text
    answer = await send(app, tmp_path, engine="openai")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "cloud_forbidden")
    assert providers.requests == []
