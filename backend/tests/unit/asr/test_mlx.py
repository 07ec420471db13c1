"""The engine mlx against a module of the package's shape: the package itself runs on Apple silicon only."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from app.asr.engines.registry import installed
from app.asr.selection import MODEL_MISSING, Variants, availability
from app.asr.types import EngineSpec, Window, WindowOptions
from app.core.errors import JobError


class FakePackage(ModuleType):
    """`mlx_whisper` with its one function: two phrases, and a note of what was asked."""

    def __init__(self) -> None:
        super().__init__("mlx_whisper")
        self.asked: list[dict[str, Any]] = []

    def transcribe(self, audio: Any, *, path_or_hf_repo: str, **options: Any) -> dict[str, Any]:
        self.asked.append({"audio": audio, "path_or_hf_repo": path_or_hf_repo, **options})
        first = {
            "start": 0.0,
            "end": 1.2,
            "text": " Hello there.",
            "avg_logprob": -0.1,
            "words": [
                {"word": " Hello", "start": 0.1, "end": 0.5, "probability": np.float32(0.9)},
                {"word": " there.", "start": 0.5, "end": 1.2, "probability": np.float32(0.8)},
            ],
        }
        second = {"start": 1.2, "end": 9.0, "text": " Bye.", "avg_logprob": -0.1, "words": []}
        return {"text": "", "segments": [first, second], "language": options["language"] or "de"}


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> FakePackage:
    fake = FakePackage()
    monkeypatch.setitem(sys.modules, "mlx_whisper", fake)
    monkeypatch.delitem(sys.modules, "app.asr.engines.mlx", raising=False)
    return fake


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps({"n_mels": 80, "n_vocab": 51_865}))
    (tmp_path / "weights.npz").write_bytes(b"weights")
    return tmp_path


def load(folder: Path) -> Any:
    engine = importlib.import_module("app.asr.engines.mlx").create()
    engine.load(EngineSpec("mlx", folder.name, str(folder)))
    return engine


def test_a_window_with_all_its_options(package: FakePackage, folder: Path) -> None:
    options = WindowOptions(
        "en", translate=True, vocabulary=("Anna", "Zürich"), prompt="As before.", attempt=1
    )
    window = Window(3, 60_000, 65_000)
    result = load(folder).transcribe(np.zeros(80_000, np.float32), window, options)
    [asked] = package.asked
    assert asked["path_or_hf_repo"] == str(folder)
    assert (asked["language"], asked["task"], asked["fp16"]) == ("en", "translate", True)
    assert all(hint in asked["initial_prompt"] for hint in ("Anna", "Zürich", "As before."))
    assert asked["temperature"] == (0.4, 0.8)
    assert asked["condition_on_previous_text"] is False
    assert asked["word_timestamps"] is True
    assert asked["verbose"] is None
    assert [(s.start_ms, s.end_ms, s.text) for s in result.segments] == [
        (60_000, 61_200, "Hello there."),
        (61_200, 65_000, "Bye."),
    ]
    assert [(w.text, w.start_ms, w.confidence) for w in result.segments[0].words] == [
        ("Hello", 60_100, 0.9),
        ("there.", 60_500, 0.8),
    ]
    assert result.language == "en"


def test_nothing_is_told_that_was_not_asked(package: FakePackage, folder: Path) -> None:
    engine = load(folder)
    engine.transcribe(np.zeros(16_000, np.float32), Window(0, 0, 1000), WindowOptions("en", prompt="secret"))
    result = engine.transcribe(np.zeros(16_000, np.float32), Window(1, 0, 1000), WindowOptions())
    asked = package.asked[1]
    assert (asked["initial_prompt"], asked["language"], asked["task"]) == (None, None, "transcribe")
    assert asked["temperature"][0] == 0.0
    assert result.language == "de"


def test_what_is_no_model_is_refused(package: FakePackage, folder: Path) -> None:
    with pytest.raises(JobError) as absent:
        load(folder / "nothing")
    assert absent.value.code == "model_missing"
    (folder / "weights.npz").unlink()
    with pytest.raises(JobError) as empty:
        load(folder)
    assert empty.value.code == "model_invalid"
    (folder / "config.json").write_text("[]")
    with pytest.raises(JobError) as broken:
        load(folder)
    assert broken.value.code == "model_invalid"


def test_it_is_offered_on_apple_silicon_only(
    package: FakePackage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.asr.engines.registry.find_spec", lambda name: object())
    monkeypatch.setattr(sys, "platform", "linux")
    assert not installed("mlx")
    refused = availability("mlx", "base", folder, Variants(mlx_model=str(folder)))
    assert refused.spec is None
    assert "Apple silicon" in str(refused.reason)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert availability("mlx", "base", folder).code == MODEL_MISSING
    found = availability("mlx", "base", folder, Variants(mlx_model=str(folder)))
    assert found.spec == EngineSpec("mlx", folder.name, str(folder))
