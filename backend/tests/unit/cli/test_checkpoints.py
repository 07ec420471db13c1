"""Checkpoints and ledger on disk: torn lines, other processes, names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from app.asr.types import Segment, Window, WindowResult, Word
from app.cli.checkpoints import KEEP_SECONDS, Checkpoints, FileSink
from app.cli.inputs import Source
from app.cli.ledger import NAME, Entry, Identity, Ledger
from app.cli.targets import Targets

WINDOWS = [Window(n, n * 1000, n * 1000 + 1000, speech=((n * 1000, n * 1000 + 900),)) for n in range(3)]
RESULT = WindowResult((Segment(0, 900, "Grüße", (Word("Grüße", 0, 900, 0.5),)),), "de", covered_ms=900)


async def test_committed_windows_come_back_and_failed_ones_do_not(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    try:
        with checkpoints.open("a" * 64, "plan") as file:
            sink = FileSink(file)
            await sink.committed(WINDOWS[0], RESULT)
            await sink.committed(WINDOWS[1], WindowResult(error="engine_timeout"))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    with checkpoints.open("a" * 64, "plan") as file:
        sink = FileSink(file)
        assert sink.kept == 1
        assert await sink.plan(WINDOWS[0]) == RESULT
        assert await sink.plan(WINDOWS[1]) is None
        with checkpoints.open("a" * 64, "plan") as other:
            assert other is None  # another run has it: works without
    assert list(tmp_path.iterdir()) == []  # done


async def test_a_torn_line_is_dropped_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    with path.open("a+b") as file:
        sink = FileSink(file)
        await sink.committed(WINDOWS[0], RESULT)
        await sink.committed(WINDOWS[1], RESULT)
    path.write_bytes(path.read_bytes()[:-40])
    with path.open("a+b") as file:
        sink = FileSink(file)
        assert sorted(sink.results) == [0]
        await sink.committed(WINDOWS[2], RESULT)
    with path.open("a+b") as file:
        assert sorted(FileSink(file).results) == [0, 2]


@pytest.fixture
def full_disk() -> Iterator[IO[bytes]]:
    with Path("/dev/full").open("r+b", buffering=0) as file:
        yield file


async def test_a_disk_that_is_full_costs_no_text(full_disk: IO[bytes]) -> None:
    sink = FileSink()
    sink._file = full_disk
    await sink.committed(WINDOWS[0], RESULT)
    await sink.committed(WINDOWS[1], RESULT)
    assert sorted(sink.results) == [0, 1]


def test_what_was_never_begun_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError), Checkpoints(tmp_path).open("a" * 64, "plan"):
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_old_checkpoints_are_forgotten(tmp_path: Path) -> None:
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    for path in (old, new):
        path.touch()
    past = old.stat().st_mtime - KEEP_SECONDS - 60
    os.utime(old, (past, past))
    Checkpoints(tmp_path).clean()
    assert list(tmp_path.iterdir()) == [new]
    Checkpoints(tmp_path / "nowhere").clean()


def test_the_ledger_reads_what_it_wrote_and_passes_over_the_rest(tmp_path: Path) -> None:
    talk = tmp_path / "talk.wav"
    entry = Entry("talk.wav", "talk", Identity(4, 5, "ab"), "key", {"txt": 7})
    Ledger(tmp_path).record(entry)
    failed = Entry("bad.wav", "bad", Identity(1, 2), "key", error=("media_invalid", "Damaged."))
    Ledger(tmp_path).record(failed)
    with (tmp_path / NAME).open("a") as file:
        file.write('{"source": 3}\nnonsense\n{"sour')
    ledger = Ledger(tmp_path)
    assert ledger.entry(talk) == entry
    assert ledger.entry(tmp_path / "bad.wav") == failed
    assert ledger.owner("TALK") == "talk.wav"
    assert ledger.entry(tmp_path / "other.wav") is None


def test_a_line_after_a_torn_one_is_read(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"sour')
    entry = Entry("talk.wav", "talk", Identity(4, 5, "ab"), "key", {"txt": 7})
    Ledger(tmp_path).record(entry)
    assert Ledger(tmp_path).entry(tmp_path / "talk.wav") == entry


def test_two_recordings_never_share_a_text(tmp_path: Path) -> None:
    sources = [Source(tmp_path / name) for name in ("talk.wav", "talk.mp3", "Talk.ogg")]
    for source in sources:
        source.path.write_bytes(b"x")
    for taken in ("talk (2).txt", "Talk (2).txt"):
        (tmp_path / taken).write_text("mine")
    targets = Targets(None, ("txt",), overwrite=False)
    stems = [targets.of(source).stem for source in sources]
    assert stems == ["talk", "talk (3)", "Talk (4)"]
    first = targets.of(sources[0])
    first.write({"txt": "one"}, "key", Identity.of(first.source))
    assert first.is_done("key", ("txt",), Identity.of(first.source))
    assert not first.is_done("another key", ("txt",), Identity.of(first.source))
    assert not first.is_done("key", ("txt", "srt"), Identity.of(first.source))
    later = Targets(None, ("txt",), overwrite=False)
    assert later.of(sources[1]).stem == "talk (3)"
    assert later.of(sources[0]).stem == "talk"
