"""Model files: looked into, found, downloaded over a real socket."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.asr import models
from app.asr.host import spawn
from app.asr.models import ggml
from app.asr.models.catalogue import CatalogueEntry, catalogue
from app.asr.types import EngineSpec
from app.core.errors import JobError
from tests.fixtures.tone_model import WORDS

DATA = bytes(range(256)) * 12_000


class Hub:
    """A model hub on loopback; `cut` ends the next answers after so many bytes."""

    def __init__(self) -> None:
        self.data = DATA
        self.cuts: list[int] = []
        self.requests: list[str | None] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                hub.requests.append(asked)
                if not self.path.endswith("/mirror"):
                    self.send_response(302)
                    self.send_header("Location", f"{self.path}/mirror")
                    self.end_headers()
                    return
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
                body = hub.data[start:]
                self.send_response(206 if asked else 200)
                self.send_header("Content-Length", str(len(body)))
                if asked:
                    self.send_header("Content-Range", f"bytes {start}-{len(hub.data) - 1}/{len(hub.data)}")
                self.end_headers()
                self.wfile.write(body[: hub.cuts.pop(0)] if hub.cuts else body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture(autouse=True)
def small_catalogue(monkeypatch: pytest.MonkeyPatch) -> CatalogueEntry:
    """One model of three megabytes under the name `base-q8_0`."""
    entry = CatalogueEntry("base-q8_0", "ggml-base-q8_0.bin", len(DATA), hashlib.sha256(DATA).hexdigest())
    monkeypatch.setattr(sys.modules["app.asr.models.catalogue"], "catalogue", lambda: (entry,))
    return entry


async def test_download_tells_progress_and_is_found(hub: Hub, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = await models.download("base-q8_0", tmp_path, hub.url, on_progress=lambda *at: told.append(at))
    assert path.read_bytes() == DATA
    assert told[-1] == (len(DATA), len(DATA))
    assert told == sorted(told)
    found = models.resolve("base-q8_0", tmp_path)
    assert found is not None
    assert (found.name, found.path) == ("base-q8_0", path)


async def test_download_goes_on_where_it_broke_off(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [1_500_000]
    with pytest.raises(JobError) as caught:
        await models.download("base-q8_0", tmp_path, hub.url)
    assert caught.value.code == "model_missing"
    assert models.resolve("base-q8_0", tmp_path) is None
    have = (tmp_path / "ggml-base-q8_0.bin.part").stat().st_size
    assert 0 < have <= 1_500_000
    path = await models.download("base-q8_0", tmp_path, hub.url)
    assert path.read_bytes() == DATA
    assert hub.requests[-1] == f"bytes={have}-"


async def test_other_bytes_are_thrown_away(hub: Hub, tmp_path: Path) -> None:
    hub.data = DATA[:-1] + b"!"
    with pytest.raises(JobError) as caught:
        await models.download("base-q8_0", tmp_path, hub.url)
    assert caught.value.code == "model_invalid"
    assert not list(tmp_path.glob("*.bin*part"))
    assert models.resolve("base-q8_0", tmp_path) is None


async def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(JobError) as caught:
        await models.download("base-q8_0", tmp_path, "http://127.0.0.1:9")
    assert caught.value.code == "model_missing"


async def test_two_at_once_download_once(hub: Hub, tmp_path: Path) -> None:
    paths = await asyncio.gather(*(models.download("base-q8_0", tmp_path, hub.url) for _ in range(2)))
    assert paths[0] == paths[1]
    assert len(hub.requests) == 2  # one download: the redirect and the file


OTHER = """
import asyncio, hashlib, sys
from pathlib import Path
from app.asr import models
module = sys.modules["app.asr.models.catalogue"]
entry = models.CatalogueEntry("base-q8_0", "ggml-base-q8_0.bin", int(sys.argv[3]), sys.argv[4])
module.catalogue = lambda: (entry,)
print(asyncio.run(models.download("base-q8_0", Path(sys.argv[1]), sys.argv[2])))
"""


def test_two_processes_download_once(hub: Hub, tmp_path: Path, small_catalogue: CatalogueEntry) -> None:
    arguments = [str(tmp_path), hub.url, str(small_catalogue.bytes), small_catalogue.sha256]
    processes = [
        subprocess.Popen([sys.executable, "-c", OTHER, *arguments], env=spawn.child_environment())
        for _ in range(2)
    ]
    assert [process.wait(30) for process in processes] == [0, 0]
    assert len(hub.requests) == 2


def test_wrong_bytes_on_disk(tmp_path: Path) -> None:
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
    monkeypatch.setattr("app.asr.models.files.sha256_of", lambda path: "not again")
    assert models.resolve("base-q8_0", tmp_path) is not None


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
    assert all(len(row.sha256) == 64 and row.bytes > 30_000_000 for row in rows)
    assert rows[0].url("https://hub/").startswith("https://hub/ggerganov/whisper.cpp/resolve/")


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
def test_broken_models_are_refused(
    keep: int, change: dict[int, bytes] | None, tone_spec: EngineSpec, tmp_path: Path
) -> None:
    with pytest.raises(JobError) as caught:
        ggml.check(broken(tone_spec, tmp_path / "m.bin", keep, change))
    assert caught.value.code == "model_invalid"


def test_sound_models_pass(tone_spec: EngineSpec, speech_spec: EngineSpec) -> None:
    for spec, multilingual in ((tone_spec, True), (speech_spec, False)):
        assert spec.model_path is not None
        assert ggml.check(Path(spec.model_path)).multilingual is multilingual
