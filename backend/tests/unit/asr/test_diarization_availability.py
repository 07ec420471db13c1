"""Where voices cannot be told apart, a sentence says what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.asr.diarization import Embedder, availability

TITANET = "nemo_en_titanet_small"


def reason(model: str, folder: Path) -> str:
    found = availability(model, folder)
    assert not found.usable
    assert found.reason
    return found.reason


def test_the_model_has_to_be_downloaded(tmp_path: Path) -> None:
    assert f"transcribe models download {TITANET}" in reason(TITANET, tmp_path)


def test_a_damaged_model_is_not_used(tmp_path: Path) -> None:
    (tmp_path / f"{TITANET}.onnx").write_bytes(b"cut off")
    assert "bytes instead of" in reason(TITANET, tmp_path)


def test_other_models_are_refused(tmp_path: Path) -> None:
    assert "DIARIZATION_MODEL" in reason("base", tmp_path)
    assert "no model called" in reason("nothing", tmp_path)


def test_a_file_of_the_operators_own(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    assert "no file" in reason(str(path), tmp_path)
    path.write_bytes(b"a model")
    found = availability(str(path), tmp_path / "elsewhere")
    assert found.usable
    assert found.embedder == Embedder(str(path))


def test_the_package_has_to_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["app.asr.diarization.availability"], "PACKAGE", "not_there")
    assert "make extras EXTRAS=speakers" in reason(TITANET, tmp_path)
