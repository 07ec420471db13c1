"""Words of the command line to recordings, and what a watched folder gives out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.cli.inputs import Source, find_sources, is_media
from app.cli.watch import Lookout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "b.mp3",
        "A.WAV",
        "notes.txt",
        "a.srt",
        ".hidden.mp3",
        "copying.mp3.part",
        "x.mp4.crdownload",
        "~$talk.mp3",
        "[1] take.mp3",
        "sub/c.mkv",
        "sub/deeper/d.opus",
        ".git/e.mp3",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def names(sources: list[Source], root: Path) -> list[str]:
    return [source.path.relative_to(root).as_posix() for source in sources]


def test_a_folder_means_its_recordings(tree: Path) -> None:
    assert names(find_sources([str(tree)], recursive=False).sources, tree) == [
        "A.WAV",
        "[1] take.mp3",
        "b.mp3",
    ]
    deep = find_sources([str(tree)], recursive=True).sources
    assert names(deep, tree)[-2:] == ["sub/c.mkv", "sub/deeper/d.opus"]
    assert [source.below.as_posix() for source in deep[-2:]] == ["sub", "sub/deeper"]
    assert len(deep) == 5


def test_patterns_are_expanded_without_a_shell(tree: Path) -> None:
    assert names(find_sources([f"{tree}/*.mp3"], recursive=False).sources, tree) == ["[1] take.mp3", "b.mp3"]
    assert names(find_sources([f"{tree}/*"], recursive=False).sources, tree) == [
        "A.WAV",
        "[1] take.mp3",
        "b.mp3",
    ]
    deep = find_sources([f"{tree}/**/*.opus"], recursive=False).sources
    assert [(names(deep, tree), source.below.as_posix()) for source in deep] == [
        (["sub/deeper/d.opus"], "sub/deeper")
    ]
    assert find_sources([f"{tree}/*.amr"], recursive=False).nothing == [f"{tree}/*.amr"]


def test_a_name_that_is_there_is_no_pattern_and_comes_once(tree: Path) -> None:
    take = f"{tree}/[1] take.mp3"
    found = find_sources([take, take, f"{tree}/sub/../[1] take.mp3", f"{tree}/gone.mp3"], recursive=False)
    assert names(found.sources, tree)[0] == "[1] take.mp3"
    assert found.sources[-1].path.name == "gone.mp3"  # says so when its turn comes
    assert found.sources.count(Source(Path(take))) == 1


@pytest.mark.parametrize(
    ("name", "is_one"), [("a.M4A", True), ("a.mp4", True), ("a.json", False), ("a", False)]
)
def test_media_by_name(name: str, is_one: bool) -> None:
    assert is_media(name) is is_one


def test_a_file_is_given_out_when_it_has_stopped_growing_and_again_when_it_changes(tmp_path: Path) -> None:
    lookout = Lookout(tmp_path, 3, recursive=False)
    talk = tmp_path / "talk.wav"
    talk.write_bytes(b"half")
    assert lookout.look(0) == []
    with talk.open("ab") as file:
        file.write(b" of it")
    assert lookout.look(3) == []  # has grown
    assert (lookout.look(5), lookout.growing) == ([], 1)
    assert lookout.look(6.5) == [Source(talk)]
    assert (lookout.look(60), lookout.growing) == ([], 0)
    os.utime(talk, (1, 1))
    assert lookout.look(61) == []
    assert lookout.look(65) == [Source(talk)]


def test_empty_files_wait_and_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    lookout = Lookout(tmp_path, 1, recursive=False)
    for number in range(50):
        (tmp_path / f"{number}.wav").write_bytes(b"x")
    empty = tmp_path / "empty.wav"
    empty.touch()
    lookout.look(0)
    assert len(lookout.look(2)) == 50
    assert (lookout.look(90), lookout.growing) == ([], 1)
    for path in tmp_path.iterdir():
        path.unlink()
    lookout.look(91)
    assert lookout.remembered == 0
