"""`transcribe watch`: what comes in becomes text once, also over restarts; failures wait for a change."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.fixtures.cli import record, run, start
from tests.fixtures.tone_model import tones
from tests.fixtures.wav import write_wav

OPTIONS = ("--vad", "off", "--settle", "0.3")


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def test_recordings_that_come_in_become_text_until_ctrl_c(
    tone_environment: dict[str, str], tmp_path: Path
) -> None:
    inbox, out = tmp_path / "inbox", tmp_path / "out"
    record(inbox / "first.wav", ["one"])
    (inbox / "broken.mp3").write_bytes(b"no recording")
    process = start(tone_environment, "watch", inbox, "-o", out, "--recursive", *OPTIONS)
    try:
        wait_for((out / "first.txt").exists, process)
        whole = write_wav(tmp_path / "copy.wav", tones(["two", "three"])).read_bytes()
        (inbox / "day").mkdir()
        growing = inbox / "day" / "second.wav"
        for part in range(5):  # is being copied
            with growing.open("ab") as file:
                file.write(whole[part * len(whole) // 5 : (part + 1) * len(whole) // 5])
            time.sleep(0.15)
        wait_for((out / "day" / "second.txt").exists, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert (out / "day" / "second.txt").read_text().split() == ["two", "three"]
    assert errors.count("[unsupported_media]") == 1  # tried once

    written = (out / "first.txt").stat().st_mtime_ns
    again = run(tone_environment, "watch", inbox, "-o", out, "--recursive", "--once", *OPTIONS)
    assert again.returncode == 0, again.stderr
    assert "broken" not in again.stderr
    assert (out / "first.txt").stat().st_mtime_ns == written
    record(inbox / "broken.mp3", ["four"])  # a wav by another name is read all the same
    repaired = run(tone_environment, "watch", inbox, "-o", out, "--once", *OPTIONS)
    assert repaired.returncode == 0, repaired.stderr
    assert (out / "broken.txt").read_text().strip() == "four"


def test_one_watcher_a_folder_and_none_without_an_engine(
    tone_environment: dict[str, str], tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    process = start(tone_environment, "watch", inbox, *OPTIONS)
    try:
        assert process.stderr is not None
        assert "Watching" in process.stderr.readline()
        second = run(tone_environment, "watch", inbox, "--once", *OPTIONS)
        assert (second.returncode, str(process.pid) in second.stderr) == (2, True)
    finally:
        process.kill()
        process.communicate()
    missing = run(
        tone_environment | {"WHISPER_MODEL": "tiny"}, "watch", inbox, "--engine", "whisper_cpp", "--once"
    )
    assert missing.returncode == 4
    assert "transcribe models download tiny" in missing.stderr
