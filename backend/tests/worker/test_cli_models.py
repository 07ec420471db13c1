"""`transcribe models`: list, download, verify, remove."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.asr.models.catalogue import CatalogueEntry
from app.cli import app
from app.core.locks import hold
from tests.fixtures.hub import DATA, VOICES, Hub
from tests.fixtures.server import BACKEND

FILE = "ggml-base-q8_0.bin"


@pytest.fixture
def models_dir(
    tmp_path: Path, hub: Hub, small_catalogue: CatalogueEntry, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder that the commands work in; the hub is their mirror."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name, value in {
        "DATA_DIR": str(tmp_path),
        "MODELS_DIR": str(folder),
        "MODEL_BASE_URL": hub.url,
        "WHISPER_MODEL": "base-q8_0",
        "DIARIZATION_MODEL": "voices",
    }.items():
        monkeypatch.setenv(name, value)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments])


def test_list_download_verify_remove(models_dir: Path) -> None:
    listed = json.loads(run("list", "--json").stdout)
    assert listed["folder"] == str(models_dir)
    assert [(m["name"], m["kind"], m["state"]) for m in listed["models"]] == [
        ("base-q8_0", "speech", "absent"),
        ("voices", "speakers", "absent"),
    ]
    assert listed["models"][1]["url"].endswith("/some/releases/voices.onnx")
    assert run("verify").stdout == f"No model is in {models_dir}.\n"
    assert run("download").exit_code == 0
    assert (models_dir / FILE).read_bytes() == DATA
    assert run("download", "speakers").exit_code == 0
    assert (models_dir / "voices.onnx").read_bytes() == VOICES
    table = run("list").stdout
    assert "base-q8_0 (default)" in table
    assert "recommended" in table
    sound = run("verify")
    assert (sound.exit_code, sound.stdout) == (0, "base-q8_0: sound\nvoices: sound\n")
    removed = run("remove", "voices", "--yes")
    assert (removed.exit_code, (models_dir / "voices.onnx").exists()) == (0, False)
    assert run("remove", "voices", "--yes").exit_code == 3
    assert run("verify", "voices").exit_code == 3


def test_verify_names_the_file_and_what_to_do(models_dir: Path) -> None:
    path = models_dir / FILE
    path.write_bytes(DATA)
    assert run("verify").exit_code == 0
    times = path.stat()
    path.write_bytes(DATA[:-1] + b"!")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    found = run("verify", "base-q8_0")
    assert found.exit_code == 4
    assert FILE in found.stderr
    assert "transcribe models download base-q8_0" in found.stderr
    assert json.loads(run("list", "--json").stdout)["models"][0]["state"] == "invalid"
    assert run("download").exit_code == 0
    assert run("verify").exit_code == 0


def test_remove_asks_first_and_leaves_what_is_in_use(models_dir: Path) -> None:
    path = models_dir / FILE
    path.write_bytes(DATA)
    unasked = run("remove", "base-q8_0")
    assert (unasked.exit_code, path.exists()) == (2, True)
    assert "--yes" in unasked.stderr
    held = hold(path)
    refused = run("remove", "base-q8_0", "--yes")
    os.close(held)
    assert (refused.exit_code, path.exists()) == (4, True)
    assert "in use" in refused.stderr


@pytest.mark.parametrize("command", ["download", "verify", "remove"])
def test_unknown_names(models_dir: Path, command: str) -> None:
    found = run(command, "enormous")
    assert found.exit_code == 2
    assert "models list" in found.stderr


def test_what_cannot_be_had_is_told_in_a_sentence(models_dir: Path, hub: Hub) -> None:
    hub.status = 404
    found = run("download")
    assert found.exit_code == 4
    assert "HTTP 404" in found.stderr


def test_ctrl_c_keeps_what_has_come(tmp_path: Path, hub: Hub) -> None:
    hub.data = bytes(2 << 20)
    hub.gate.clear()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.program", "models", "download", "tiny"],
        cwd=BACKEND,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "MODEL_BASE_URL": hub.url},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    part = tmp_path / "models" / "ggml-tiny.bin.part"
    try:
        until = time.monotonic() + 20
        while not part.is_file() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "goes on from here" in errors
    assert "Traceback" not in errors
    assert part.stat().st_size == 1 << 20
