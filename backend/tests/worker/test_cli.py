"""The command line as a process of its own: outputs, exit codes, sentences instead of tracebacks."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fixtures.server import BACKEND, free_port
from tests.fixtures.speech import DIALOGUE, said, sentence, synthetic_model
from tests.fixtures.tone_model import build, sequence, tones
from tests.fixtures.wav import write_wav


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DATA_DIR": str(tmp_path / "data"),
        "WHISPER_MODEL": str(synthetic_model(tmp_path)),
        "MODEL_AUTO_DOWNLOAD": "false",
        "ENGINE_PROCESSES": "1",
    }


def transcribe(
    environment: dict[str, str], *arguments: str | Path, **changes: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.program", *map(str, arguments)],
        cwd=BACKEND,
        env=environment | changes,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_file_alone_is_a_command(environment: dict[str, str]) -> None:
    done = transcribe(environment, sentence(0))
    assert (done.returncode, done.stdout) == (0, said(sentence(0))[0].text + "\n")
    assert "real-time factor" in done.stderr


def test_several_formats_and_files_never_replace_each_other(
    environment: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "elsewhere" / sentence(0).name
    other.parent.mkdir()
    other.write_bytes(sentence(1).read_bytes())
    out = tmp_path / "texts" / "new"
    done = transcribe(environment, "run", sentence(0), other, "-f", "txt,srt,vtt,json", "-o", out)
    assert done.returncode == 0, done.stderr
    assert (out / "sentence-00.txt").read_text() == said(sentence(0))[0].text + "\n"
    assert (out / "sentence-00 (2).txt").read_text() == said(sentence(1))[0].text + "\n"
    assert (out / "sentence-00.srt").read_text().startswith("1\n")
    assert (out / "sentence-00.vtt").read_text().startswith("WEBVTT")
    assert json.loads((out / "sentence-00.json").read_text())["engine"] == "whisper_cpp"
    (out / "sentence-00.txt").write_text("corrected by hand")
    assert transcribe(environment, sentence(0), "-o", out).returncode == 0
    assert (out / "sentence-00.txt").read_text() == "corrected by hand"
    assert transcribe(environment, sentence(0), "-o", out, "--overwrite").returncode == 0
    assert (out / "sentence-00.txt").read_text() == said(sentence(0))[0].text + "\n"


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "says"),
    [
        (["--nonsense"], {}, 2, "No such option"),
        (["x.wav", "-f", "docx"], {}, 2, "txt, srt, vtt, json"),
        (["x.wav", "--model", "enormous"], {}, 2, "no model named enormous"),
        (["x.wav", "--language", "xx"], {}, 2, "no language xx"),
        (["x.wav", "-o", "/proc/nowhere"], {}, 2, "/proc/nowhere"),
        (["nowhere.wav"], {}, 3, "No such file"),
        ([__file__], {}, 3, "unsupported_media"),
        ([str(sentence(0))], {"MAX_FILE_BYTES": "1000"}, 3, "file_too_large"),
        (
            [str(sentence(0)), "--engine", "whisper_cpp", "--model", "tiny"],
            {},
            4,
            "transcribe models download tiny",
        ),
        ([str(sentence(0))], {"PORT": "many"}, 2, "PORT"),
    ],
)
def test_exit_codes(
    environment: dict[str, str], arguments: list[str], changes: dict[str, str], code: int, says: str
) -> None:
    done = transcribe(environment, "run", *arguments, **changes)
    assert done.returncode == code, done.stderr
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_draft_says_so(environment: dict[str, str]) -> None:
    pytest.importorskip("pocketsphinx")
    done = transcribe(environment, sentence(0), WHISPER_MODEL="base-q8_0")
    assert done.returncode == 0
    assert "low_accuracy" in done.stderr
    assert "transcribe models download base-q8_0" in done.stderr


def test_a_dialogue_names_who_speaks_and_says_where_it_cannot(
    environment: dict[str, str], tmp_path: Path
) -> None:
    stereo = transcribe(environment, DIALOGUE, "--mode", "dialogue", "-f", "txt,json", "-o", tmp_path / "out")
    assert stereo.returncode == 0, stereo.stderr
    text = (tmp_path / "out" / "dialogue-stereo.txt").read_text()
    assert {line.partition(":")[0] for line in text.splitlines() if line} == {"Left", "Right"}
    whole = json.loads((tmp_path / "out" / "dialogue-stereo.json").read_text())
    assert whole["speakers"][0] == {"id": "left", "label": "Left", "name": None}
    assert whole["segments"][0]["speaker"] == "left"
    mono = transcribe(environment, sentence(0), "--mode", "dialogue", "--speakers", "2")
    assert (mono.returncode, mono.stdout) == (0, said(sentence(0))[0].text + "\n")
    assert "no_speakers" in mono.stderr
    assert "nemo_en_titanet_small" in mono.stderr


def test_an_interrupt_ends_it_with_130_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    recording = write_wav(tmp_path / "long.wav", tones(sequence(900)))
    process = subprocess.Popen(
        [sys.executable, "-m", "app.program", str(recording), "--vad", "off", "-o", str(tmp_path / "out")],
        cwd=BACKEND,
        env=environment | {"WHISPER_MODEL": str(build(tmp_path / "tone.bin"))},
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background of a shell ignores SIGINT, and its children would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stderr is not None
        while "transcribing" not in process.stderr.readline():
            pass
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.communicate()
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ENV": "prod"}, "JWT_SECRET_KEY"),
        ({"DATABASE_URL": "mysql://user:hunter2@x/y"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://user:hunter2@127.0.0.1:1/x"}, "DATABASE_URL"),
        ({"HOST": "nosuch.host.invalid"}, "HOST"),
        ({"WHISPER_MODEL": "enormous"}, "WHISPER_MODEL"),
        ({"WHISPER_MODEL": "/nowhere/model.bin"}, "WHISPER_MODEL"),
    ],
)
def test_a_server_that_cannot_start_says_why_in_a_sentence(
    environment: dict[str, str], changes: dict[str, str], says: str
) -> None:
    done = transcribe(environment, "serve", PORT=str(free_port()), **changes)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "hunter2" not in done.stderr + done.stdout
    assert len(done.stderr) < 500


def test_a_port_in_use_is_named(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = transcribe(environment, "serve", PORT=str(port))
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "PORT" in done.stderr


def test_administrators_are_made_on_the_server(environment: dict[str, str]) -> None:
    made = transcribe(
        environment, "admin", "create", "ada@example.org", "--password", "correct horse battery"
    )
    assert made.returncode == 0, made.stderr
    again = transcribe(
        environment, "admin", "create", "ada@example.org", "--password", "correct horse battery"
    )
    assert again.returncode == 3
    assert "Traceback" not in again.stderr
    changed = transcribe(
        environment, "admin", "password", "ada@example.org", "--password", "another long phrase"
    )
    assert changed.returncode == 0
    unknown = transcribe(
        environment, "admin", "password", "eve@example.org", "--password", "another long phrase"
    )
    assert unknown.returncode == 3
