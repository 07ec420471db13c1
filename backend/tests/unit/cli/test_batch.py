"""What a batch says of its files, without listening to any."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.asr.types import EngineSpec, TranscribeOptions
from app.cli.batch import Batch
from app.cli.inputs import Source
from app.cli.transcription import Plan
from app.cli.wishes import Wish
from app.core.errors import JobError
from tests.fixtures.app import build_settings


class Said:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)

    @contextmanager
    def file(self, name: str) -> Any:
        yield self


class Worker:
    """Stands in for the pipeline: a result, or an error by the file's name."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def plan(self, progress: Any) -> Plan:
        return Plan(EngineSpec("whisper_cpp"), "plan", "key")

    async def transcribe(self, path: Path, plan: Plan, sha256: str | None, progress: Any) -> dict[str, Any]:
        self.heard.append(path.name)
        if path.name.startswith("engine"):
            raise JobError("engine_failed", "It broke.")
        if path.name.startswith("bug"):
            raise KeyError("x")
        segment = {"start_ms": 0, "end_ms": 900, "text": "so so", "speaker": "S1", "flags": [], "words": []}
        doubtful = segment | {"start_ms": 65_000, "end_ms": 66_000, "flags": ["loop", "low_confidence"]}
        warning = {"code": "gaps", "message": "One stretch of 7 seconds at 0:12 has speech without text."}
        return {
            "filename": path.name,
            "warnings": [warning],
            "segments": [segment, doubtful],
            "text": "so so",
        }


def make(tmp_path: Path, *, retry_failed: bool = True) -> tuple[Batch, Said, Worker]:
    said, worker = Said(), Worker()
    wish = Wish(TranscribeOptions(), None, None, ("txt",), None, False, 0, True, retry_failed=retry_failed)
    settings = build_settings(tmp_path / "data")
    return Batch(settings, wish, worker, None, said, to_stdout=False), said, worker  # type: ignore[arg-type]


async def test_doubts_gaps_failures_and_bugs_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("talk.wav", "engine.wav", "bug.wav", "empty.wav", "last.wav")
    for name in names:
        (tmp_path / name).write_bytes(b"" if name == "empty.wav" else name.encode())
    batch, said, _ = make(tmp_path)
    await batch.run([Source(tmp_path / name) for name in names], 2)
    batch.sum_up()
    assert "talk.wav: doubtful at 00:01:05 (loop, low_confidence)" in said.lines
    assert "talk.wav: gaps: One stretch of 7 seconds at 0:12 has speech without text." in said.lines
    assert f"{tmp_path / 'bug.wav'}: KeyError: 'x' [internal_error]" in said.lines
    assert said.lines[-1] == "2 transcribed, 3 failed."
    assert batch.worst == 4
    assert (tmp_path / "last.txt").read_text() == "Speaker 1: so so\n\nSpeaker 1: so so\n"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["file"] for line in lines[:-1]} == {str(tmp_path / name) for name in names}
    talk = next(line for line in lines if line.get("filename") == "talk.wav")
    assert talk["doubtful"] == [{"start_ms": 65_000, "flags": ["loop", "low_confidence"]}]


async def test_only_a_recordings_own_failure_waits_for_a_change(tmp_path: Path) -> None:
    class Broken(Worker):
        async def transcribe(self, path: Path, *rest: Any) -> dict[str, Any]:
            self.heard.append(path.name)
            code = "media_invalid" if path.name == "broken.wav" else "engine_failed"
            raise JobError(code, "No.")

    worker = Broken()
    for name in ("broken.wav", "unlucky.wav"):
        (tmp_path / name).write_bytes(b"x")
    for _ in range(2):
        batch, _, _ = make(tmp_path, retry_failed=False)
        batch._worker = worker  # type: ignore[assignment]
        await batch.run([Source(tmp_path / name) for name in ("broken.wav", "unlucky.wav")], 1)
    assert worker.heard == ["broken.wav", "unlucky.wav", "unlucky.wav"]
    (tmp_path / "broken.wav").write_bytes(b"changed")
    batch, _, _ = make(tmp_path, retry_failed=False)
    batch._worker = worker  # type: ignore[assignment]
    await batch.run([Source(tmp_path / "broken.wav")], 1)
    assert worker.heard[-1] == "broken.wav"


async def test_a_folder_that_cannot_be_written_to_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "talk.wav").write_bytes(b"x")
    batch, said, _ = make(tmp_path)

    def refuse(*arguments: Any, **options: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    await batch.run([Source(tmp_path / "talk.wav")], 1)
    assert (batch.worst, "Permission denied" in said.lines[-1]) == (3, True)
