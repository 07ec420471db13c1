"""Real speech and every kind of broken file through the whole product: HTTP in, decoder, engine, database, HTTP out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import av
import httpx2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fixtures import scripted_model
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.speech import HEARD_EXACTLY, MONOLOGUE, said, sentence, synthetic_model, word_error_rate
from tests.fixtures.tone_model import build, sequence, tones
from tests.unit.asr.recordings import FORMATS, encode, wav


@pytest.fixture
async def speech_app(make_app: MakeApp, tmp_path: Path) -> RunningApp:
    running = await make_app(
        whisper_model=str(synthetic_model(tmp_path)), engine_processes=2, max_audio_seconds=240
    )
    await sign_up(running.client)
    return running


async def submit(client: httpx2.AsyncClient, name: str, data: bytes, **options: str) -> str:
    answer = await client.post("/api/transcribe", files={"file": (name, data)}, data=options)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


async def wait_final(client: httpx2.AsyncClient, job_id: str) -> dict[str, Any]:
    async with asyncio.timeout(120):
        while True:
            job: dict[str, Any] = (await client.get(f"/api/jobs/{job_id}")).json()
            if job["status"] in ("completed", "failed", "cancelled"):
                return job
            await asyncio.sleep(0.05)


async def hear(client: httpx2.AsyncClient, name: str, data: bytes, **options: str) -> dict[str, Any]:
    job = await wait_final(client, await submit(client, name, data, **options))
    assert job["status"] == "completed", job["error"]
    result: dict[str, Any] = (await client.get(f"/api/jobs/{job['id']}/result")).json()
    return result


def check_times(result: dict[str, Any]) -> None:
    """Segments and words follow each other inside the recording."""
    clock = 0
    for segment in result["segments"]:
        assert clock <= segment["start_ms"] < segment["end_ms"] <= result["duration_ms"]
        clock = segment["start_ms"]
        at = segment["start_ms"]
        for word in segment["words"]:
            assert at <= word["start_ms"] <= word["end_ms"] <= segment["end_ms"]
            at = word["start_ms"]
        clock = segment["end_ms"]


async def test_sentences_come_out_as_they_were_said(speech_app: RunningApp) -> None:
    jobs = {
        number: await submit(speech_app.client, f"s{number}.flac", sentence(number).read_bytes())
        for number in HEARD_EXACTLY
    }
    for number, job_id in jobs.items():
        job = await wait_final(speech_app.client, job_id)
        result = (await speech_app.client.get(f"/api/jobs/{job_id}/result")).json()
        (truth,) = said(sentence(number))
        assert result["text"] == truth.text, job
        assert abs(result["segments"][0]["start_ms"] - truth.start_ms) <= 300
        assert (result["engine"], result["low_accuracy"], result["language"]) == ("whisper_cpp", False, "en")
        check_times(result)


async def test_a_monologue_with_pauses(speech_app: RunningApp) -> None:
    result = await hear(speech_app.client, "monologue.flac", MONOLOGUE.read_bytes())
    check_times(result)
    truth = said(MONOLOGUE)
    assert word_error_rate(" ".join(u.text for u in truth), result["text"]) <= 0.07
    starts = [w["start_ms"] for s in result["segments"] for w in s["words"]]
    near = [u for u in truth if min(abs(u.start_ms - s) for s in starts) <= 300]
    assert len(near) >= 0.9 * len(truth)


def speech_samples(number: int) -> NDArray[np.float32]:
    with av.open(str(sentence(number))) as container:
        resampler = av.AudioResampler("flt", "mono", 16_000)
        blocks = [
            out.to_ndarray().reshape(-1)
            for frame in [*container.decode(audio=0), None]
            for out in resampler.resample(frame)
        ]
    return np.concatenate(blocks)


async def test_every_container_gives_the_same_words(speech_app: RunningApp, tmp_path: Path) -> None:
    samples = speech_samples(1)
    (truth,) = said(sentence(1))
    for name in FORMATS:
        data = encode(tmp_path / f"talk.{name}", samples, name).read_bytes()
        result = await hear(speech_app.client, f"talk.{name}", data)
        assert word_error_rate(truth.text, result["text"]) <= 0.15, (name, result["text"])
        assert len(result["segments"]) >= 1
        check_times(result)


def bad_files(folder: Path) -> dict[str, tuple[bytes, str]]:
    """File by what is wrong with it, and the code of the failure."""
    neighbour = encode(folder / "neighbour.wav", tones(sequence(3)), "wav")
    whole = encode(folder / "whole.m4a", tones(sequence(20)), "m4a").read_bytes()
    silent_film = folder / "film.mp4"
    with av.open(str(silent_film), "w", format="mp4") as output:
        pictures = output.add_stream("mpeg4", rate=5)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        for number in range(10):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), format="rgb24")
            output.mux(pictures.encode(picture))
        output.mux(pictures.encode(None))
    floats = np.zeros(16_000, "<f4")
    floats[5_000:9_000] = np.nan
    return {
        "text.mp3": (b"This is not a recording at all.\n" * 50, "unsupported_media"),
        "page.mp3": (b"<!doctype html><script>alert(1)</script>" * 20, "unsupported_media"),
        "playlist.mp3": (f"#EXTM3U\n#EXTINF:3,\nfile://{neighbour}\n".encode(), "unsupported_media"),
        "concat.mp3": (f"ffconcat version 1.0\nfile '{neighbour}'\n".encode(), "unsupported_media"),
        "noise.mp3": (np.random.default_rng(1).bytes(5_000), "unsupported_media"),
        "film.mp4": (silent_film.read_bytes(), "no_audio_stream"),
        "cut.m4a": (whole[: len(whole) // 2], "media_invalid"),
        "slow.wav": (wav(bytes(32_000), rate=1), "media_invalid"),
        "nan.wav": (wav(floats.tobytes(), bits=32, kind=3), "audio_invalid"),
        "one.wav": (wav(bytes(2)), "audio_too_short"),
        "201.wav": (wav(bytes(402)), "audio_too_short"),
        "long.flac": (
            encode(folder / "long.flac", np.zeros(16_000 * 241, np.float32), "flac").read_bytes(),
            "duration_limit",
        ),
    }


async def test_broken_files_end_in_their_code_and_a_sentence(speech_app: RunningApp, tmp_path: Path) -> None:
    client = speech_app.client
    cases = bad_files(tmp_path)
    jobs = {name: await submit(client, name, data) for name, (data, _) in cases.items()}
    for name, (_, code) in cases.items():
        job = await wait_final(client, jobs[name])
        assert job["status"] == "failed", (name, job)
        assert job["error"]["code"] == code, (name, job["error"])
        assert len(job["error"]["message"]) > 20
        assert str(tmp_path) not in job["error"]["message"]
    assert (await hear(client, "fine.flac", sentence(1).read_bytes()))["text"]


async def test_odd_files_are_completed_with_their_warning(speech_app: RunningApp, tmp_path: Path) -> None:
    client = speech_app.client
    silence = encode(tmp_path / "silence.flac", np.zeros(16_000 * 5, np.float32), "flac").read_bytes()
    result = await hear(client, "silence.flac", silence)
    assert [w["code"] for w in result["warnings"]] == ["no_speech"]
    assert result["text"] == ""
    whole = MONOLOGUE.read_bytes()
    cut = await hear(client, "cut.flac", whole[: len(whole) // 2])
    assert "media_truncated" in [w["code"] for w in cut["warnings"]]
    assert cut["text"]


async def test_tones_word_for_word_in_two_jobs_at_once(make_app: MakeApp, tmp_path: Path) -> None:
    model = build(tmp_path / "tone.bin")
    running = await make_app(whisper_model=str(model), engine_processes=2)
    await sign_up(running.client)
    spoken = {seed: sequence(95, seed) for seed in (1, 2)}
    jobs = {}
    for seed, words in spoken.items():
        data = encode(tmp_path / f"{seed}.flac", tones(words), "flac").read_bytes()
        jobs[seed] = await submit(running.client, f"{seed}.flac", data, vad="off")
    for seed, words in spoken.items():
        job = await wait_final(running.client, jobs[seed])
        assert job["windows"] == {"planned": 4, "committed": 4, "executed": 4}
        result = (await running.client.get(f"/api/jobs/{jobs[seed]}/result")).json()
        heard = [s for s in result["segments"] if s["text"] != "."]
        assert [s["text"] for s in heard] == words
        assert [s["start_ms"] for s in heard] == [n * 1000 for n in range(95)]


@pytest.mark.slow
async def test_a_looping_model_ends_with_its_text_marked(make_app: MakeApp, tmp_path: Path) -> None:
    """A model of true dimensions that says one phrase again and again, on real speech."""
    model = scripted_model.build("tiny", tmp_path / "loop.bin", loop=6)
    running = await make_app(whisper_model=str(model), engine_processes=1)
    await sign_up(running.client)
    speech = MONOLOGUE.read_bytes()[: MONOLOGUE.stat().st_size // 7]  # about 25 s
    job_id = await submit(running.client, "said.flac", speech, language="en")
    job = await wait_final(running.client, job_id)
    assert job["status"] == "completed", job["error"]
    assert "doubtful" in [warning["code"] for warning in job["warnings"]]
    for address in (f"/api/jobs/{job_id}/result", f"/api/jobs/{job_id}/download?format=json"):
        segments = (await running.client.get(address)).json()["segments"]
        assert segments
        assert all("loop" in segment["flags"] for segment in segments)
