"""The build of whisper.cpp: what it is told, and that nothing else reaches its setup.py."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import native


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []

    def run(command: list[str], *, env: dict[str, str], check: bool) -> SimpleNamespace:
        made.append({"command": command, "env": env, "lock": Path(command[-1]).read_text("utf-8")})
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr("scripts.native.subprocess.run", run)
    return made


def test_a_build_sees_a_clean_environment_and_the_hashes_of_the_lock(
    calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DEBUG", "GGML_NATIVE", "BUILD_SHARED_LIBS", "CFLAGS", "JWT_SECRET_KEY"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    native.install(Path("/opt/uv"), built=True, target=tmp_path / "fast")
    [call] = calls
    given = set(call["env"])
    assert not given & {"DEBUG", "GGML_NATIVE", "BUILD_SHARED_LIBS", "CFLAGS", "JWT_SECRET_KEY"}
    assert {"PATH", "HTTPS_PROXY", "CMAKE_ARGS"} <= given
    flags = call["env"]["CMAKE_ARGS"].split()
    assert {"-DGGML_NATIVE=OFF", "-DGGML_LLAMAFILE=ON"} <= set(flags)
    command = call["command"]
    assert command[0] == "/opt/uv"
    assert "--require-hashes" in command
    assert (
        command[command.index("--no-binary") + 1] == "pywhispercpp"
    )  # never :all:, which compiles cmake, too
    assert re.fullmatch(r"pywhispercpp==\S+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+", call["lock"])


def test_undo_takes_the_wheel_into_the_environment(calls: list[dict[str, Any]]) -> None:
    native.install(native.UV, built=False)
    [call] = calls
    assert "CMAKE_ARGS" not in call["env"]
    command = call["command"]
    assert command[command.index("--only-binary") + 1] == "pywhispercpp"
    assert command[command.index("--reinstall-package") + 1] == "pywhispercpp"
    assert os.fspath(native.PYTHON) in command
    assert "--target" not in command


def test_a_compiler_that_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scripts.native.shutil.which", lambda name: None)
    monkeypatch.setattr("sys.argv", ["native.py"])
    assert native.main() == 1
    assert "compiler" in capsys.readouterr().out
