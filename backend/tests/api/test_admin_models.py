"""The administrator's models: listed, fetched in the background, verified, removed; nobody else may."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.asr.models.catalogue import CatalogueEntry
from app.core.locks import hold
from tests.fixtures import tone_model
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.hub import DATA, VOICES, Hub
from tests.fixtures.jobs import add_job
from tests.fixtures.wav import write_wav

FILE = "ggml-base-q8_0.bin"
URL = "/api/admin/models"


@pytest.fixture
async def admin(make_app: MakeApp, hub: Hub, small_catalogue: CatalogueEntry) -> RunningApp:
    """An application with a hub, and the client of its administrator."""
    running = await make_app(model_base_url=hub.url, diarization_model="voices")
    await sign_up(running.client)
    return running


def folder(running: RunningApp) -> Path:
    path = running.settings.models_dir
    path.mkdir(parents=True, exist_ok=True)
    return path


async def model(running: RunningApp, name: str = "base-q8_0") -> dict[str, Any]:
    answer = await running.client.get(URL)
    assert answer.status_code == 200, answer.text
    return next(item for item in answer.json()["items"] if item["name"] == name)


async def wait_for(running: RunningApp, state: str, name: str = "base-q8_0") -> dict[str, Any]:
    until = time.monotonic() + 10
    while (found := await model(running, name))["state"] != state:
        assert time.monotonic() < until, found
        await asyncio.sleep(0.02)
    return found


async def test_the_list_tells_what_there_is(admin: RunningApp) -> None:
    (folder(admin) / "voices.onnx").write_bytes(VOICES)
    body = (await admin.client.get(URL)).json()
    assert (body["next_cursor"], body["folder"]) == (None, str(folder(admin)))
    assert body["free_bytes"] > 0
    speech, voices = body["items"]
    assert speech == {
        "name": "base-q8_0",
        "kind": "speech",
        "bytes": len(DATA),
        "multilingual": True,
        "licence": "MIT",
        "recommended": False,
        "state": "absent",
        "received_bytes": 0,
        "verified_at": None,
        "error": None,
        "default": True,
        "in_use": False,
    }
    assert (voices["kind"], voices["licence"], voices["state"], voices["default"]) == (
        "speakers",
        "Apache-2.0",
        "present",
        True,
    )


async def test_a_download_runs_in_the_background_and_shows_how_far_it_is(admin: RunningApp, hub: Hub) -> None:
    hub.gate.clear()
    first = await admin.client.post(f"{URL}/base-q8_0/download")
    assert (first.status_code, first.json()["state"]) == (202, "downloading")
    again = await admin.client.post(f"{URL}/base-q8_0/download")
    assert again.status_code == 202
    until = time.monotonic() + 10
    while (await model(admin))["received_bytes"] < 1 << 20:
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    assert (await model(admin))["state"] == "downloading"
    assert (await admin.client.post(f"{URL}/base-q8_0/verify")).status_code == 409
    hub.gate.set()
    done = await wait_for(admin, "present")
    assert done["received_bytes"] == len(DATA)
    assert done["verified_at"] is not None
    assert len(hub.requests) == 2  # one redirect, one file


async def test_a_download_that_fails_says_why_and_can_be_repeated(admin: RunningApp, hub: Hub) -> None:
    hub.status = 404
    await admin.client.post(f"{URL}/voices/download")
    until = time.monotonic() + 10
    while (await model(admin, "voices"))["error"] is None:
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    assert "HTTP 404" in (await model(admin, "voices"))["error"]
    hub.status = 200
    await admin.client.post(f"{URL}/voices/download")
    assert (await wait_for(admin, "present", "voices"))["error"] is None


async def test_delete_calls_a_download_off(admin: RunningApp, hub: Hub) -> None:
    hub.gate.clear()
    await admin.client.post(f"{URL}/base-q8_0/download")
    part = folder(admin) / f"{FILE}.part"
    until = time.monotonic() + 10
    while not part.is_file():
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    assert (await admin.client.delete(f"{URL}/base-q8_0")).status_code == 204
    assert not part.exists()
    found = await model(admin)
    assert (found["state"], found["received_bytes"], found["error"]) == (
        "absent",
        0,
        "The download was called off.",
    )


async def test_verify_finds_bytes_that_rotted_and_a_download_repairs_them(admin: RunningApp) -> None:
    path = folder(admin) / FILE
    path.write_bytes(DATA)
    sound = await admin.client.post(f"{URL}/base-q8_0/verify")
    assert (sound.status_code, sound.json()["state"]) == (200, "present")
    times = path.stat()
    path.write_bytes(DATA[:-1] + b"!")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    rotten = (await admin.client.post(f"{URL}/base-q8_0/verify")).json()
    assert rotten["state"] == "invalid"
    assert "Download" in rotten["error"]
    await admin.client.post(f"{URL}/base-q8_0/download")
    await wait_for(admin, "present")
    assert path.read_bytes() == DATA
    path.write_bytes(b"short")
    assert (await model(admin))["state"] == "invalid"


async def test_what_is_in_use_stays(admin: RunningApp) -> None:
    path = folder(admin) / FILE
    path.write_bytes(DATA)
    held = hold(path)  # as an engine process does
    refused = await admin.client.delete(f"{URL}/base-q8_0")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    assert (await model(admin))["in_use"] is True
    os.close(held)
    workspace = (await admin.client.get("/api/auth/me")).json()["workspaces"][0]["id"]
    database = admin.container.database
    await admin.container.dispatcher.stop()
    await add_job(database, UUID(workspace), status="processing", model="base-q8_0")
    assert (await admin.client.delete(f"{URL}/base-q8_0")).status_code == 409
    assert path.exists()


async def test_removed(admin: RunningApp) -> None:
    (folder(admin) / FILE).write_bytes(DATA)
    assert (await admin.client.delete(f"{URL}/base-q8_0")).status_code == 204
    assert (await model(admin))["state"] == "absent"
    assert (await admin.client.delete(f"{URL}/base-q8_0")).status_code == 204


async def test_unknown_models_are_not_found(admin: RunningApp) -> None:
    for method, path in (("POST", "x/download"), ("POST", "x/verify"), ("DELETE", "x")):
        answer = await admin.client.request(method, f"{URL}/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_job_that_waits_for_a_model_is_looked_at_when_it_is_verified(admin: RunningApp) -> None:
    told: list[str] = []
    admin.container.models.on_change.append(lambda: told.append("changed"))
    (folder(admin) / FILE).write_bytes(DATA)
    await admin.client.post(f"{URL}/base-q8_0/verify")
    assert told == ["changed"]


async def test_a_job_that_waits_for_a_model_runs_when_its_download_ends(
    make_app: MakeApp, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub.data = tone_model.build(tmp_path / "tone.bin").read_bytes()
    sha256 = hashlib.sha256(hub.data).hexdigest()
    entry = CatalogueEntry("base-q8_0", FILE, len(hub.data), sha256)
    for module in ("app.asr.models", "app.asr.models.catalogue"):
        monkeypatch.setattr(sys.modules[module], "catalogue", lambda: (entry,))
    running = await make_app(model_base_url=hub.url, transcription_backend="whisper_cpp")
    await sign_up(running.client)
    recording = write_wav(tmp_path / "talk.wav", tone_model.tones(["one", "two"]))
    sent = await running.client.post(
        "/api/transcribe", files={"file": ("talk.wav", recording.read_bytes())}, data={"vad": "off"}
    )
    url = f"/api/jobs/{sent.json()['job_id']}"
    await until_job(running, url, lambda job: job["wait_reason"] == "model_missing")
    await running.client.post(f"{URL}/base-q8_0/download")
    await until_job(running, url, lambda job: job["status"] == "completed")
    assert (await running.client.get(f"{url}/result")).json()["text"].split() == ["one", "two"]
    loaded = await running.client.delete(f"{URL}/base-q8_0")  # an idle process of the pool still has it
    assert (loaded.status_code, loaded.json()["error"]["code"]) == (409, "conflict")


async def test_a_job_whose_model_comes_with_wrong_bytes_says_so_by_itself(
    make_app: MakeApp, hub: Hub, small_catalogue: CatalogueEntry
) -> None:
    running = await make_app(model_base_url=hub.url, transcription_backend="whisper_cpp")
    await sign_up(running.client)
    sent = await running.client.post("/api/transcribe", files={"file": ("talk.wav", b"RIFF")})
    url = f"/api/jobs/{sent.json()['job_id']}"
    await until_job(running, url, lambda job: job["wait_reason"] == "model_missing")
    (folder(running) / FILE).write_bytes(DATA[:-1] + b"!")
    await until_job(running, url, lambda job: job["wait_reason"] == "model_invalid")
    job = (await running.client.get(url)).json()
    assert (job["status"], job["attempt"]) == ("pending", 1)
    assert any("not the published ones" in reason for reason in job["engine_reasons"])
    history = (await running.client.get(f"{url}/history")).json()["items"]
    assert [entry["reason"] for entry in history if entry["kind"] == "waiting"] == [
        "model_invalid",
        "model_missing",
    ]


async def test_a_job_whose_model_cannot_be_downloaded_says_so_by_itself(
    make_app: MakeApp, hub: Hub, small_catalogue: CatalogueEntry
) -> None:
    hub.gate.clear()
    hub.data = DATA[:-1] + b"!"
    running = await make_app(
        model_base_url=hub.url, model_auto_download=True, transcription_backend="whisper_cpp"
    )
    await sign_up(running.client)
    sent = await running.client.post("/api/transcribe", files={"file": ("talk.wav", b"RIFF")})
    url = f"/api/jobs/{sent.json()['job_id']}"
    await until_job(running, url, lambda job: job["wait_reason"] == "model_downloading")
    hub.gate.set()
    await until_job(running, url, lambda job: job["wait_reason"] == "model_download_failed")
    history = (await running.client.get(f"{url}/history")).json()["items"]
    assert [entry["reason"] for entry in history if entry["kind"] == "waiting"] == [
        "model_download_failed",
        "model_downloading",
    ]


async def test_a_model_that_was_found_invalid_is_not_offered_as_installed(admin: RunningApp) -> None:
    path = folder(admin) / FILE
    path.write_bytes(DATA[:-1] + b"!")
    await admin.client.post(f"{URL}/base-q8_0/verify")
    assert (await model(admin))["state"] == "invalid"
    options = (await admin.client.get("/api/options")).json()
    assert [offered["installed"] for offered in options["models"]] == [False]
    path.write_bytes(DATA)
    await admin.client.post(f"{URL}/base-q8_0/verify")
    options = (await admin.client.get("/api/options")).json()
    assert [offered["installed"] for offered in options["models"]] == [True]


async def until_job(running: RunningApp, url: str, reached: Callable[[dict[str, Any]], bool]) -> None:
    until = time.monotonic() + 60
    while not reached(job := (await running.client.get(url)).json()):
        assert time.monotonic() < until, job
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", "/base-q8_0/download"), ("POST", "/base-q8_0/verify"), ("DELETE", "/base-q8_0")],
)
async def test_members_and_strangers_may_not(admin: RunningApp, hub: Hub, method: str, path: str) -> None:
    (folder(admin) / FILE).write_bytes(DATA)
    async with admin.new_client() as other:
        stranger = await other.request(method, URL + path)
        assert (stranger.status_code, stranger.json()["error"]["code"]) == (401, "unauthenticated")
        await sign_up(other, "bob@example.org")
        member = await other.request(method, URL + path)
        assert (member.status_code, member.json()["error"]["code"]) == (403, "forbidden")
    assert (folder(admin) / FILE).exists()
    assert hub.requests == []
