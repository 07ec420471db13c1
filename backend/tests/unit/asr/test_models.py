"""Model files: the catalogue, found, verified, looked into, removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.asr import models
from app.asr.host.pool import EnginePool
from app.asr.models import ggml
from app.asr.models.catalogue import CatalogueEntry, catalogue
from app.asr.types import EngineSpec, Window, WindowOptions
from app.core.errors import ConflictError, JobError, NotFoundError
from app.core.locks import hold, is_held, lock_file
from tests.fixtures.hub import DATA, VOICES
from tests.fixtures.tone_model import WORDS
from tests.unit.asr.recordings import pcm


@pytest.fixture(autouse=True)
def _small(small_catalogue: CatalogueEntry) -> None:
    """Every test here sees the small catalogue."""


def test_row_8_wrong_bytes_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "ggml-base-q8_0.bin"
    path.write_bytes(DATA[:-1] + b"!")
    with pytest.raises(JobError) as caught:
        models.resolve("base-q8_0", tmp_path)
    assert caught.value.code == "model_invalid"
    path.write_bytes(DATA[:100])
    with pytest.raises(JobError):
        models.resolve("base-q8_0", tmp_path)


def test_a_verified_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ggml-base-q8_0.bin").write_bytes(DATA)
    assert models.resolve("base-q8_0", tmp_path) is not None
    monkeypatch.setattr("app.asr.models.notes.sha256_of", lambda path: "not again")
    assert models.resolve("base-q8_0", tmp_path) is not None


def test_row_8_a_wrong_hash_is_remembered_and_repaired(
    small_catalogue: CatalogueEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ggml-base-q8_0.bin"
    path.write_bytes(DATA)
    assert models.inspect(small_catalogue, tmp_path) == models.FileStatus(models.FileState.PRESENT, len(DATA))
    models.check_again(small_catalogue, tmp_path)
    assert models.inspect(small_catalogue, tmp_path).verified_at is not None
    before = path.stat()
    path.write_bytes(DATA[:-1] + b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # bytes that rot do not change the time
    models.verify(small_catalogue, path)  # the note still fits
    with pytest.raises(JobError, match=r"ggml-base-q8_0.bin .* models download base-q8_0"):
        models.check_again(small_catalogue, tmp_path)
    assert models.inspect(small_catalogue, tmp_path).state == "invalid"
    monkeypatch.setattr("app.asr.models.notes.sha256_of", lambda path: "not again")
    with pytest.raises(JobError):
        models.resolve("base-q8_0", tmp_path)


def test_models_of_voices_are_found_like_the_others(tmp_path: Path) -> None:
    (tmp_path / "voices.onnx").write_bytes(VOICES)
    found = models.resolve("voices", tmp_path)
    assert found is not None
    assert found.path == tmp_path / "voices.onnx"
    assert models.is_present("voices", tmp_path)
    assert not models.is_known("voices")  # no job can ask for it
    own = tmp_path / "own.onnx"
    own.write_bytes(b"no ggml")
    assert models.resolve(str(own), tmp_path) == models.ModelFile("own", own)


def test_remove(small_catalogue: CatalogueEntry, tmp_path: Path) -> None:
    path = tmp_path / "ggml-base-q8_0.bin"
    assert models.remove(small_catalogue, tmp_path) is False
    with pytest.raises(NotFoundError):
        models.check_again(small_catalogue, tmp_path)
    path.write_bytes(DATA)
    models.check_again(small_catalogue, tmp_path)
    held = hold(path)
    assert models.inspect(small_catalogue, tmp_path).held
    with pytest.raises(ConflictError, match="in use"):
        models.remove(small_catalogue, tmp_path)
    os.close(held)
    with lock_file(tmp_path / "ggml-base-q8_0.bin.lock", note="4711"):
        assert models.inspect(small_catalogue, tmp_path).state == "downloading"
        with pytest.raises(ConflictError, match="process 4711"):
            models.remove(small_catalogue, tmp_path)
    assert models.remove(small_catalogue, tmp_path) is True
    assert [file.name for file in tmp_path.iterdir()] == ["ggml-base-q8_0.bin.lock"]


async def test_a_loaded_model_is_held(tone_spec: EngineSpec, tmp_path: Path) -> None:
    path = tmp_path / "tone.bin"
    path.write_bytes(Path(str(tone_spec.model_path)).read_bytes())
    pool = EnginePool(1, nice=0)
    try:
        await pool.submit(
            "job",
            EngineSpec("whisper_cpp", "tone", str(path)),
            WindowOptions("en"),
            Window(0, 0, 2000),
            pcm(2),
            _nothing,
        )
        assert is_held(path)
    finally:
        await pool.close()
    assert not is_held(path)


async def _nothing() -> None:
    pass


def test_the_operators_own_file(tone_spec: EngineSpec, tmp_path: Path) -> None:
    assert tone_spec.model_path is not None
    found = models.resolve(tone_spec.model_path, tmp_path)
    assert found is not None
    assert found.path == Path(tone_spec.model_path)
    assert models.resolve(str(tmp_path / "nothing.bin"), tmp_path) is None


def test_the_shipped_catalogue() -> None:
    rows = catalogue()
    names = {row.name for row in rows}
    assert {"tiny", "base", "base-q8_0", "base.en", "small", "medium", "large-v3", "large-v3-turbo"} <= names
    assert all(len(row.sha256) == 64 and row.bytes > 5_000_000 for row in rows)
    assert len(names) == len({row.file for row in rows}) == len(rows)
    assert rows[0].url("https://hub/").startswith("https://hub/ggerganov/whisper.cpp/resolve/")
    first = {row.name for row in rows if row.recommended}
    assert {"tiny-q8_0", "base-q8_0", "small.en-q8_0", "large-v3", "large-v3-turbo-q8_0"} <= first
    assert not {"base", "small-q5_1", "large-v3-q5_0"} & first


def test_models_of_voices_come_from_their_homes_or_the_mirror() -> None:
    voices = {row.name: row for row in catalogue() if row.kind == "speakers"}
    titanet = voices["nemo_en_titanet_small"]
    assert (titanet.licence, titanet.recommended, titanet.multilingual) == ("CC-BY-4.0", True, True)
    assert titanet.url("https://huggingface.co/").startswith(
        "https://github.com/k2-fsa/sherpa-onnx/releases/"
    )
    assert titanet.url("https://mirror.example").startswith("https://mirror.example/k2-fsa/sherpa-onnx/")


def broken(tone_spec: EngineSpec, path: Path, keep: int, change: dict[int, bytes] | None = None) -> Path:
    assert tone_spec.model_path is not None
    data = bytearray(Path(tone_spec.model_path).read_bytes()[:keep])
    for at, value in (change or {}).items():
        data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


FILTERS_END = 48 + 8 + 80 * 201 * 4
VOCABULARY_END = (
    FILTERS_END + 4 + sum(4 + len(text) for text in [*(f" {w}" for w in WORDS), ".", " ", " -", " '"])
)


@pytest.mark.parametrize(
    ("keep", "change"),
    [
        (0, None),
        (47, None),
        (5_000, None),  # inside the filters
        (FILTERS_END + 20, None),  # inside the vocabulary
        (VOCABULARY_END, None),  # no tensors: whisper.cpp would load it and hear nothing
        (9_000_000, None),  # inside a tensor
        (1 << 30, {0: b"GGUF"}),
        (1 << 30, {4: b"\xff\xff\xff\x7f"}),  # vocabulary
        (1 << 30, {12: b"\0\0\0\0"}),  # width
        (1 << 30, {VOCABULARY_END: b"\x09"}),  # dimensions of the first tensor
    ],
)
def test_row_8_broken_models_are_refused(
    keep: int, change: dict[int, bytes] | None, tone_spec: EngineSpec, tmp_path: Path
) -> None:
    with pytest.raises(JobError) as caught:
        ggml.check(broken(tone_spec, tmp_path / "m.bin", keep, change))
    assert caught.value.code == "model_invalid"


def test_sound_models_pass(tone_spec: EngineSpec, speech_spec: EngineSpec) -> None:
    for spec, multilingual in ((tone_spec, True), (speech_spec, False)):
        assert spec.model_path is not None
        assert ggml.check(Path(spec.model_path)).multilingual is multilingual
