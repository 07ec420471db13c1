"""A conversation in one channel through the whole product: who said what, and what is said where that cannot be told."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures import dialogue, voice_model
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.speech import synthetic_model, word_error_rate
from tests.worker.test_product import hear, wait_final


@pytest.fixture
async def app(make_app: MakeApp, tmp_path: Path) -> RunningApp:
    running = await make_app(
        whisper_model=str(synthetic_model(tmp_path)),
        diarization_model=str(tmp_path / "voices.onnx"),
        max_audio_seconds=240,
    )
    await sign_up(running.client)
    return running


def by_speaker(result: dict[str, Any]) -> Iterator[tuple[str | None, str]]:
    """Who says what, in order."""
    for speaker, segments in groupby(result["segments"], key=lambda segment: segment["speaker"]):
        yield speaker, " ".join(segment["text"] for segment in segments)


async def test_who_said_what(app: RunningApp, tmp_path: Path) -> None:
    voice_model.build(tmp_path / "voices.onnx")
    assert (await app.client.get("/api/options")).json()["local_speakers"] is True
    result = await hear(app.client, "two.flac", dialogue.TWO.read_bytes(), mode="dialogue", language="en")
    names = {"anna": "S1", "peter": "S2"}
    truth = [
        (names[speaker], " ".join(text for *_, text in rows))
        for speaker, rows in groupby(dialogue.said(dialogue.TWO), key=lambda row: row[0])
    ]
    assert [speaker for speaker, _ in by_speaker(result)] == [speaker for speaker, _ in truth]
    for (_, heard), (_, said) in zip(by_speaker(result), truth, strict=True):
        assert word_error_rate(said, heard) <= 0.2
    assert [speaker["id"] for speaker in result["speakers"]] == ["S1", "S2"]


async def test_the_text_comes_without_the_model_and_speakers_later(app: RunningApp, tmp_path: Path) -> None:
    options = (await app.client.get("/api/options")).json()
    assert options["local_speakers"] is False
    assert "voices.onnx" in options["local_speakers_reason"]
    result = await hear(app.client, "two.flac", dialogue.TWO.read_bytes(), mode="dialogue", language="en")
    assert {speaker for speaker, _ in by_speaker(result)} == {None}
    job = (await app.client.get("/api/jobs")).json()["items"][0]
    assert job["speaker_state"] == "unavailable"
    assert "voices.onnx" in job["speaker_reason"]

    voice_model.build(tmp_path / "voices.onnx")
    answer = await app.client.post(f"/api/jobs/{job['id']}/speakers/retry", json={"speakers": 2})
    assert answer.status_code == 200, answer.text
    assert (await wait_final(app.client, job["id"]))["speaker_state"] == "done"
    again = (await app.client.get(f"/api/jobs/{job['id']}/result")).json()
    assert again["text"] == result["text"]
    assert {speaker for speaker, _ in by_speaker(again)} == {"S1", "S2"}
