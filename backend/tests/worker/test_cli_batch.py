"""`transcribe run` over many files: resumed after a kill, one bad file among good ones, scripts, options."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.fixtures.cli import record, run, start
from tests.fixtures.tone_model import WORDS, sequence

OFF = ("--vad", "off")  # tones are no speech


def folder_of(path: Path, count: int) -> Path:
    for number in range(count):
        record(path / f"talk-{number:02}.wav", [WORDS[number % len(WORDS)]])
    return path


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in sorted(folder.glob("*.txt"))}


def test_a_folder_that_is_killed_in_the_middle_is_finished_by_the_same_command(
    tone_environment: dict[str, str], tmp_path: Path
) -> None:
    talks = folder_of(tmp_path / "talks", 10)
    process = start(tone_environment, "run", talks, *OFF, "--jobs", "2")
    try:
        until = time.monotonic() + 240
        while len(texts(talks)) < 3 and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    before = {path: path.stat().st_mtime_ns for path in talks.glob("*.txt")}
    assert 3 <= len(before) < 10
    done = run(tone_environment, "run", talks, *OFF, "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert texts(talks) == {f"talk-{n:02}.txt": WORDS[n % len(WORDS)] for n in range(10)}
    again = [path for path, time_ns in before.items() if path.stat().st_mtime_ns != time_ns]
    assert len(again) <= 2  # those that were written, but not yet noted
    assert "done before" in done.stderr
    assert not list(talks.glob("*.part"))


def test_a_long_file_goes_on_after_its_committed_windows(
    tone_environment: dict[str, str], tmp_path: Path
) -> None:
    words = sequence(270)
    long = record(tmp_path / "long.wav", words)
    checkpoints = tmp_path / "data" / "checkpoints"
    process = start(tone_environment, long, *OFF)
    try:
        until = time.monotonic() + 240
        while time.monotonic() < until:
            kept = [len(path.read_bytes().splitlines()) for path in checkpoints.glob("*.jsonl")]
            if kept and kept[0] >= 3:
                break
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    (file,) = checkpoints.glob("*.jsonl")
    kept_lines = file.read_bytes().splitlines(keepends=True)
    assert 3 <= len(kept_lines) < 9
    with file.open("ab") as torn:
        torn.write(b'{"window": {"ind\xc3')
    done = run(tone_environment, long, *OFF)
    assert done.returncode == 0, done.stderr
    assert f"going on after {len(kept_lines)} parts" in done.stderr
    assert done.stdout.replace(".", "").split() == words
    assert list(checkpoints.glob("*.jsonl")) == []


def test_one_bad_file_does_not_stop_the_others_and_scripts_can_read_it(
    tone_environment: dict[str, str], tmp_path: Path
) -> None:
    talks = folder_of(tmp_path / "talks", 2)
    (talks / "talk-00b.mp3").write_bytes(b"no recording at all")
    (talks / "notes.txt").write_text("not a recording")
    (talks / ".hidden.wav").write_bytes(b"x")
    out = tmp_path / "texts"
    done = run(tone_environment, "run", talks, *OFF, "-o", out, "-f", "txt,json", "--json")
    assert done.returncode == 3
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    by_name = {Path(line["file"]).name: line for line in lines if "file" in line}
    assert set(by_name) == {"talk-00.wav", "talk-00b.mp3", "talk-01.wav"}
    assert by_name["talk-00b.mp3"]["error"]["code"] == "unsupported_media"
    assert by_name["talk-01.wav"]["texts"] == [str(out / "talk-01.txt"), str(out / "talk-01.json")]
    assert (by_name["talk-01.wav"]["status"], by_name["talk-01.wav"]["duration_ms"]) == ("done", 1000)
    assert lines[-1] == {"summary": {"done": 2, "unchanged": 0, "failed": 1}, "exit_code": 3}
    whole = json.loads((out / "talk-01.json").read_text())
    assert (whole["text"], whole["gaps"], whole["filename"]) == ("two", [], "talk-01.wav")
    again = run(tone_environment, "run", talks, *OFF, "-o", out, "-f", "txt,json", "--json")
    assert json.loads(again.stdout.splitlines()[-1])["summary"] == {"done": 0, "unchanged": 2, "failed": 1}


def test_names_are_distinct_and_stable_and_a_corrected_text_is_never_replaced(
    tone_environment: dict[str, str], tmp_path: Path
) -> None:
    record(tmp_path / "in" / "a" / "talk.wav", ["one"])
    record(tmp_path / "in" / "b" / "talk.wav", ["two"])
    record(tmp_path / "in" / "c" / "Other.wav", ["three"])
    out = tmp_path / "out"
    arguments = (
        "run",
        tmp_path / "in" / "a" / "talk.wav",
        tmp_path / "in" / "b" / "talk.wav",
        *OFF,
        "-o",
        out,
    )
    assert run(tone_environment, *arguments).returncode == 0
    assert texts(out) == {"talk.txt": "one", "talk (2).txt": "two"}
    (out / "talk.txt").write_text("one, corrected by hand")
    record(tmp_path / "in" / "a" / "talk.wav", ["four"])  # another recording of that name
    backwards = (
        "run",
        tmp_path / "in" / "b" / "talk.wav",
        tmp_path / "in" / "a" / "talk.wav",
        *OFF,
        "-o",
        out,
    )
    assert run(tone_environment, *backwards).returncode == 0
    assert texts(out) == {
        "talk.txt": "one, corrected by hand",
        "talk (2).txt": "two",
        "talk (3).txt": "four",
    }
    tree = run(tone_environment, "run", f"{tmp_path}/in/**/*.wav", *OFF, "-o", tmp_path / "tree")
    assert tree.returncode == 0, tree.stderr
    assert (tmp_path / "tree" / "a" / "talk.txt").read_text().strip() == "four"
    assert (tmp_path / "tree" / "c" / "Other.txt").read_text().strip() == "three"


def test_other_options_are_another_text(tone_environment: dict[str, str], tmp_path: Path) -> None:
    talk = record(tmp_path / "talk.wav", ["one", "two"])
    out = tmp_path / "out"
    assert "wrote" in run(tone_environment, "run", talk, *OFF, "-o", out).stderr
    assert "1 done before" in run(tone_environment, "run", talk, *OFF, "-o", out).stderr
    os.utime(talk, (1, 1))  # the same bytes with another time
    assert "1 done before" in run(tone_environment, "run", talk, *OFF, "-o", out).stderr
    named = run(tone_environment, "run", talk, *OFF, "-o", out, "--vocabulary", "Ada, Grace")
    assert "1 transcribed" in named.stderr
    assert list(out.glob("*.txt")) == [out / "talk.txt"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nothing/*.mp3"], 3, "there is no recording here"),
        (["."], 3, "there is no recording here"),
        (["x.wav", "--engine", "openai"], 2, "transcribe serve"),
        (["x.wav", "--speakers", "2"], 2, "--mode dialogue"),
        (["x.wav", "--vocabulary", ",".join(map(str, range(101)))], 2, "100 names"),
        (["x.wav", "--jobs", "65"], 2, "--jobs"),
    ],
)
def test_what_cannot_be_done(
    tone_environment: dict[str, str], arguments: list[str], code: int, says: str
) -> None:
    done = run(tone_environment, "run", *arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
