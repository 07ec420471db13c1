"""`transcribe run URL`: a site on loopback, the real fetching process, and the tone model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.asr.types import Stage, TranscribeOptions, Vad
from app.cli.batch import Batch, open_batch
from app.cli.inputs import Link
from app.cli.links import file_name
from app.cli.wishes import Wish
from app.core.config import Settings
from app.fetch import Fetcher
from tests.fixtures.app import build_settings
from tests.fixtures.cli import run
from tests.fixtures.server import free_port
from tests.fixtures.site import Site, serving
from tests.fixtures.tone_model import WORDS, build, tones
from tests.fixtures.wav import write_wav
from tests.unit.cli.test_batch import Said


class Told(Said):
    """What is said, without bars."""

    def stage(self, stage: Stage) -> None: ...

    def expect(self, duration_ms: int | None) -> None: ...

    def fetched(self, done: int, total: int | None) -> None: ...

    def done(self, until_ms: int, window_ms: int, now: float) -> None: ...


Open = Callable[..., AbstractAsyncContextManager[tuple[Batch, Told]]]


@pytest.fixture
async def tone_site(tmp_path: Path) -> AsyncIterator[Site]:
    """Its recordings hold one word of the tone model."""
    sound = write_wav(tmp_path / "tone.wav", tones(WORDS[:1])).read_bytes()
    async with serving(Site(free_port(), sound)) as site:
        yield site


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return build_settings(
        tmp_path / "data",
        whisper_model=str(build(tmp_path / "tone.bin")),
        model_auto_download=False,
        engine_processes=1,
    )


@pytest.fixture
def open_links(settings: Settings, tone_site: Site, tmp_path: Path) -> Open:
    """A batch as `run` opens it, into `texts`, that may go to the site."""

    @asynccontextmanager
    async def opened(**changes: object) -> AsyncIterator[tuple[Batch, Told]]:
        options = TranscribeOptions(vad=Vad.OFF)
        wish = Wish(options, None, None, ("txt",), tmp_path / "texts", False, 1, False)
        (tmp_path / "texts").mkdir(exist_ok=True)
        said = Told()
        wished = replace(wish, **{k: v for k, v in changes.items() if k != "to_stdout"})  # type: ignore[arg-type]  # by name
        async with open_batch(
            settings,
            wished,
            said,
            to_stdout=bool(changes.get("to_stdout")),
            fetcher=Fetcher(permitted=tone_site.permitted, max_seconds=300),
        ) as (batch, _):
            yield batch, said

    return opened


def written(tmp_path: Path) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in sorted((tmp_path / "texts").glob("*.txt"))}


def asked(site: Site) -> int:
    """How often its recording was asked for."""
    return len([path for path in site.asked if path.endswith(".wav")])


# "(1)" is yt-dlp's: it numbers what it finds on a page that it does not know.
async def test_a_link_becomes_a_text_with_its_title_and_is_not_fetched_again(
    open_links: Open, tone_site: Site, tmp_path: Path, settings: Settings
) -> None:
    link = Link(f"{tone_site.base}/page")
    async with open_links() as (batch, said):
        await batch.run([link], 1)
    assert written(tmp_path) == {"A talk (1).txt": WORDS[0]}
    assert (batch.worst, batch.counts["done"]) == (0, 1)
    assert any(line.startswith(f"{link.url}: wrote") for line in said.lines)
    assert not [path for path in (settings.server.data_dir / "fetched").rglob("*") if path.is_file()]
    times = asked(tone_site)
    assert times
    async with open_links() as (batch, _):
        await batch.run([link], 1)
    assert (batch.counts["unchanged"], asked(tone_site)) == (1, times)
    async with open_links(overwrite=True) as (batch, _):
        await batch.run([link], 1)
    assert (batch.counts["done"], asked(tone_site) > times) == (1, True)
    assert written(tmp_path) == {"A talk (1).txt": WORDS[0]}


async def test_another_link_of_the_same_title_gets_a_name_of_its_own(
    open_links: Open, tone_site: Site, tmp_path: Path
) -> None:
    async with open_links() as (batch, _):
        await batch.run([Link(f"{tone_site.base}/page"), Link(f"{tone_site.base}/page?again")], 2)
    assert list(written(tmp_path)) == ["A talk (1) (2).txt", "A talk (1).txt"]


async def test_what_was_fetched_is_kept_when_the_run_is_interrupted(
    open_links: Open, tone_site: Site, tmp_path: Path, settings: Settings
) -> None:
    link = Link(f"{tone_site.base}/page")
    heard = asyncio.Event()

    async def hangs(*_: object) -> None:
        heard.set()
        await asyncio.Event().wait()

    async with open_links() as (batch, _):
        batch._worker.transcribe = hangs  # type: ignore[method-assign, assignment]  # stands for hours of listening
        task = asyncio.create_task(batch.run([link], 1))
        async with asyncio.timeout(300):
            await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    times = asked(tone_site)
    assert [path.name for path in (settings.server.data_dir / "fetched").rglob("*.wav")] == ["A talk (1).wav"]
    async with open_links() as (batch, said):
        await batch.run([link], 1)
    assert f"{link.url}: fetched before" in said.lines
    assert (asked(tone_site), written(tmp_path)) == (times, {"A talk (1).txt": WORDS[0]})
    assert not list((settings.server.data_dir / "fetched").rglob("*.wav"))


async def test_a_playlist_is_taken_whole_only_when_asked_for_and_never_beyond_the_limit(
    open_links: Open, tone_site: Site
) -> None:
    feed = Link(f"{tone_site.base}/feed")
    async with open_links() as (batch, said):
        found = await batch.expand([feed], 3)
        assert found == [Link(f"{tone_site.base}/part-{n}.wav") for n in (1, 2, 3)]
        assert f"{feed.url}: 3 recordings" in said.lines
        assert await batch.expand([Link(f"{tone_site.base}/nothing")], 3) == []
        assert batch.worst == 3


async def test_bad_links_end_with_the_servers_sentences(open_links: Open, tone_site: Site) -> None:
    async with open_links() as (batch, said):
        await batch.run(
            [Link(f"{tone_site.base}/missing"), Link("http://127.0.0.1:1/x"), Link("https://me:x@a.org/")], 1
        )
    assert (batch.counts["failed"], batch.worst) == (3, 3)
    assert [line.rpartition(" ")[2] for line in said.lines if line.endswith("]")] == [
        "[fetch_removed]",
        "[url_not_allowed]",
        "[url_not_allowed]",
    ]


async def test_one_link_alone_goes_to_standard_output(
    open_links: Open, tone_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_links(to_stdout=True, output=None) as (batch, _):
        await batch.run([Link(f"{tone_site.base}/talk.wav")], 1)
    assert capsys.readouterr().out.strip() == WORDS[0]
    assert written(tmp_path) == {}


def test_the_command_takes_links_and_refuses_what_the_server_refuses(
    tone_environment: dict[str, str],
) -> None:
    private = run(tone_environment, "http://192.168.0.1/talk.mp3", "--json")
    assert private.returncode == 3
    assert "leads to an address that is not public" in private.stderr
    line = json.loads(private.stdout.splitlines()[0])
    assert (line["file"], line["error"]["code"]) == ("http://192.168.0.1/talk.mp3", "url_not_allowed")
    off = run({**tone_environment, "URL_INGESTION": "off"}, "run", "https://example.org/talk")
    assert (off.returncode, "[links_disabled]" in off.stderr) == (3, True)
    playlist = run(tone_environment, "run", "--playlist", "http://10.0.0.1/list")
    assert (playlist.returncode, "[url_not_allowed]" in playlist.stderr) == (3, True)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A talk", "A talk.m4a"),
        ("  AC/DC: live?  ", "AC DC live.m4a"),
        ("../../etc/passwd", "etc passwd.m4a"),
        (".hidden", "hidden.m4a"),
        ("Ünïcode – ролик", "Ünïcode – ролик.m4a"),
        ("...", "recording.m4a"),
        (None, "recording.m4a"),
        ("x" * 500, "x" * 150 + ".m4a"),
    ],
)
def test_titles_become_names_of_files(title: str | None, name: str) -> None:
    assert file_name(title, ".m4a") == name
