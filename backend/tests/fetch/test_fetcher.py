"""What comes from a site: recordings for the good links, the right code for the bad ones, and nothing left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.core.errors import JobError
from app.fetch import Fetcher
from app.fetch.errors import classify
from tests.fixtures.site import Site

LIMITS: dict[str, Any] = {"max_bytes": 1 << 20, "max_audio_seconds": 3600}


@pytest.fixture
async def fetcher(site: Site) -> AsyncIterator[Fetcher]:
    yield Fetcher(permitted=site.permitted, slow_seconds=2, max_seconds=300)
    left = [
        child
        for child in psutil.Process().children(recursive=True)
        if "app.fetch" in " ".join(child.cmdline())
    ]
    assert left == []


@pytest.mark.parametrize("path", ["/talk.wav", "/redirect", "/page", "/chunked.wav"])
async def test_good_links_become_recordings(fetcher: Fetcher, site: Site, tmp_path: Path, path: str) -> None:
    seen: list[int] = []
    got = await fetcher.fetch(
        f"{site.base}{path}", tmp_path, on_progress=lambda done, _: seen.append(done), **LIMITS
    )
    assert got.path.read_bytes() == site.sound
    assert got.path.parent == tmp_path
    assert got.title
    assert seen[-1] == len(site.sound)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/login", "fetch_login_required"),
        ("/missing", "fetch_removed"),
        ("/gone", "fetch_removed"),
        ("/nothing", "fetch_unsupported"),
        ("/endless.wav", "fetch_too_large"),
        ("/drip.wav", "fetch_timeout"),
        ("/silent.wav", "fetch_timeout"),
        ("/broken", "fetch_failed"),
    ],
)
async def test_row_15_bad_links_end_with_a_code(
    fetcher: Fetcher, site: Site, tmp_path: Path, path: str, code: str
) -> None:
    if path == "/silent.wav":  # its answer never comes
        fetcher = replace(fetcher, find_seconds=5)
    with pytest.raises(JobError) as refused:
        await fetcher.fetch(f"{site.base}{path}", tmp_path, **LIMITS)
    assert refused.value.code == code
    assert sum(path.stat().st_size for path in tmp_path.glob("recording*")) <= (1 << 20) + (1 << 16)


async def test_a_playlist_is_listed_only_when_asked_for(fetcher: Fetcher, site: Site, tmp_path: Path) -> None:
    listed = await fetcher.expand(f"{site.base}/feed", tmp_path, limit=3)
    assert [entry.url for entry in listed.entries] == [f"{site.base}/part-{n}.wav" for n in (1, 2, 3)]
    assert listed.title == "Field notes"
    assert not [path for path in site.asked if "part" in path]
    single = await fetcher.expand(f"{site.base}/talk.wav", tmp_path, limit=3)
    assert len(single.entries) == 1


async def test_cancelling_kills_it_at_once(fetcher: Fetcher, site: Site, tmp_path: Path) -> None:
    task = asyncio.create_task(fetcher.fetch(f"{site.base}/drip.wav", tmp_path, **LIMITS))
    for _ in range(600):
        if site.asked:
            break
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await task


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("ERROR: [youtube] x: Sign in to confirm you’re not a bot. Use --cookies", "fetch_login_required"),
        ("ERROR: [youtube] x: Private video. Sign in if you've been granted access", "fetch_login_required"),
        (
            "ERROR: [youtube] x: The uploader has not made this video available in your country",
            "fetch_region_blocked",
        ),
        (
            "ERROR: [youtube] x: Video unavailable. This video has been removed by the uploader",
            "fetch_removed",
        ),
        ("ERROR: [youtube] x: Premieres in 3 hours", "fetch_live"),
        ("ERROR: Unsupported URL: https://example.org/", "fetch_unsupported"),
        ("ERROR: unable to download video data: HTTP Error 403: Forbidden", "fetch_login_required"),
        ("ERROR: [generic] Unable to download webpage: timed out", "fetch_timeout"),
        ("ERROR: something new", "fetch_failed"),
    ],
)
def test_a_site_s_words_become_codes(said: str, code: str) -> None:
    assert classify(said) == code


def a_library(folder: Path, version: str, code: str) -> Path:
    (folder / "yt_dlp").mkdir(parents=True)
    (folder / "yt_dlp" / "__init__.py").write_text(code)
    (folder / f"yt_dlp-{version}.dist-info").mkdir()
    (folder / f"yt_dlp-{version}.dist-info" / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: yt-dlp\nVersion: {version}\n"
    )
    return folder


async def test_a_newer_library_is_taken(fetcher: Fetcher, site: Site, tmp_path: Path) -> None:
    work, newer = tmp_path / "work", a_library(tmp_path / "newer", "2999.1.1", "name = 'the newer one'")
    work.mkdir()
    with pytest.raises(JobError) as refused:
        await replace(fetcher, library=newer).fetch(f"{site.base}/talk.wav", work, **LIMITS)
    assert refused.value.code == "fetch_failed"  # this one can do nothing
    assert site.asked == []


@pytest.mark.parametrize(("version", "code"), [("2999.1.1", "import no_such_thing"), ("2020.1.1", "")])
async def test_one_that_is_broken_or_older_is_not(
    fetcher: Fetcher, site: Site, tmp_path: Path, version: str, code: str
) -> None:
    work, other = tmp_path / "work", a_library(tmp_path / "other", version, code)
    work.mkdir()
    got = await replace(fetcher, library=other).fetch(f"{site.base}/talk.wav", work, **LIMITS)
    assert got.path.read_bytes() == site.sound
