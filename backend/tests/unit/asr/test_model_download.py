"""Downloads of models over a real socket: resumed, compared, one at a time, whatever the server does."""

from __future__ import annotations

import asyncio
import errno
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

from app.asr import models
from app.asr.models.catalogue import CatalogueEntry
from app.core.child import spawn
from app.core.errors import JobError
from tests.fixtures.hub import DATA, VOICES, Hub

MODULE = sys.modules["app.asr.models.download"]
PART = "ggml-base-q8_0.bin.part"


@pytest.fixture(autouse=True)
def _quick(small_catalogue: CatalogueEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small catalogue, and short waits."""
    monkeypatch.setattr(MODULE, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(MODULE, "WAIT_FOR_OTHER_SECONDS", 0.02)


async def refused(hub: Hub, folder: Path, name: str = "base-q8_0") -> JobError:
    with pytest.raises(JobError) as caught:
        await models.download(name, folder, hub.url)
    return caught.value


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
    hub.cuts = [300_000, 600_000, 600_000]
    assert (await refused(hub, tmp_path)).code == "model_missing"
    assert len(hub.requests) == 6  # three tries, with a redirect each
    assert models.resolve("base-q8_0", tmp_path) is None
    have = (tmp_path / "ggml-base-q8_0.bin.part").stat().st_size
    assert have == 5 << 18
    path = await models.download("base-q8_0", tmp_path, hub.url)
    assert path.read_bytes() == DATA
    assert hub.requests[-1] == f"bytes={have}-"


async def test_row_8_other_bytes_are_thrown_away(hub: Hub, tmp_path: Path) -> None:
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


async def test_one_broken_connection_is_no_reason_to_give_up(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [1_500_000]
    assert (await models.download("base-q8_0", tmp_path, hub.url)).read_bytes() == DATA
    assert hub.requests[-1] == f"bytes={5 << 18}-"


async def test_a_server_that_knows_no_ranges_starts_over(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / PART).write_bytes(DATA[:1000])
    hub.ranges = False
    assert (await models.download("base-q8_0", tmp_path, hub.url)).read_bytes() == DATA


async def test_another_part_than_asked_for_is_not_taken(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / PART).write_bytes(DATA[:1000])
    hub.late = 7
    assert "another part" in (await refused(hub, tmp_path)).message
    assert (tmp_path / PART).read_bytes() == DATA[:1000]


@pytest.mark.parametrize("status", [404, 500])
async def test_a_refusal_names_the_address(hub: Hub, tmp_path: Path, status: int) -> None:
    hub.status = status
    error = await refused(hub, tmp_path, "voices")
    assert error.code == "model_missing"
    assert f"{hub.url}/some/releases/voices.onnx (HTTP {status})" in error.message


async def test_a_part_that_the_server_does_not_know_is_dropped(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / PART).write_bytes(DATA[:1000])
    hub.status = 416
    assert "HTTP 416" in (await refused(hub, tmp_path)).message
    assert not (tmp_path / PART).exists()


async def test_a_server_that_stops_sending(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "STALL_SECONDS", 0.2)
    monkeypatch.setattr(MODULE, "TRIES", 1)
    hub.gate.clear()
    error = await refused(hub, tmp_path)
    assert "nothing came for 0.2 seconds" in error.message
    assert (tmp_path / PART).stat().st_size == 1 << 20


async def test_a_disk_without_room_is_known_beforehand(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 10**6))
    assert "no room" in (await refused(hub, tmp_path)).message
    assert hub.requests == []


async def test_a_disk_that_fills_up(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def to_thread(function: object, *arguments: object) -> object:
        if getattr(function, "__name__", "") == "write":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(function, *arguments)  # type: ignore[arg-type]

    real = asyncio.to_thread
    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    error = await refused(hub, tmp_path)
    assert (error.code, "No space left on device" in error.message) == ("model_missing", True)


async def test_called_off_it_keeps_what_it_has_and_lets_others_go_on(hub: Hub, tmp_path: Path) -> None:
    hub.gate.clear()
    task = asyncio.create_task(models.download("base-q8_0", tmp_path, hub.url))
    until = time.monotonic() + 10
    while not (tmp_path / PART).is_file() and time.monotonic() < until:  # noqa: ASYNC110 (a file tells no event)
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hub.gate.set()
    assert (await models.download("base-q8_0", tmp_path, hub.url)).read_bytes() == DATA
    assert hub.requests[-1] == f"bytes={1 << 20}-"


async def test_a_wrong_file_in_its_place_is_replaced(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "ggml-base-q8_0.bin").write_bytes(DATA[:-1] + b"!")
    assert (await models.download("base-q8_0", tmp_path, hub.url)).read_bytes() == DATA
    asked = len(hub.requests)
    await models.download("base-q8_0", tmp_path, hub.url)
    assert len(hub.requests) == asked  # a good one is not fetched again


async def test_models_of_voices_come_from_the_same_mirror(hub: Hub, tmp_path: Path) -> None:
    assert (await models.download("voices", tmp_path, hub.url)).read_bytes() == VOICES
    assert hub.paths[0] == "/some/releases/voices.onnx"
