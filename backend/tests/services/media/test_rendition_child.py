"""Real files through the real child: what is made, what plays as it is, what is refused."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import psutil
import pytest

from app.asr.rendition import RenditionLimits, make_rendition
from app.core.errors import JobError
from tests.fixtures.media import tone_onset, write_tone

PLAYS = [
    ("wav", "pcm_s16le", None),
    ("flac", "flac", None),
    ("mp3", "libmp3lame", None),
    ("ogg", "libopus", None),
    ("webm", "libopus", None),
    ("ipod", "aac", None),
    ("adts", "aac", None),
    ("mp4", "aac", "libx264"),
]
MADE = [
    ("matroska", "libopus", None, "audio/webm", "opus"),
    ("matroska", "aac", None, "audio/mp4", "aac"),
    ("matroska", "aac", "libx264", "audio/mp4", "aac"),
    ("matroska", "libmp3lame", None, "audio/mpeg", "mp3float"),
    ("matroska", "flac", None, "audio/flac", "flac"),
    ("matroska", "ac3", None, "audio/mp4", "aac"),
    ("matroska", "pcm_s16le", None, "audio/mp4", "aac"),
    ("mpegts", "aac", None, "audio/mp4", "aac"),
    ("mpegts", "mp2", None, "audio/mp4", "aac"),
    ("flv", "aac", None, "audio/mp4", "aac"),
    ("avi", "libmp3lame", "mpeg4", "audio/mpeg", "mp3float"),
    ("aiff", "pcm_s16be", None, "audio/mp4", "aac"),
    ("caf", "pcm_s16le", None, "audio/mp4", "aac"),
    ("ac3", "ac3", None, "audio/mp4", "aac"),
    ("ipod", "alac", None, "audio/mp4", "aac"),
    ("wav", "adpcm_ms", None, "audio/mp4", "aac"),
    ("mp4", "aac", "mpeg4", "audio/mp4", "aac"),
]


@pytest.mark.parametrize(("container", "codec", "video"), PLAYS)
async def test_what_browsers_play_is_left_alone(
    tmp_path: Path, container: str, codec: str, video: str | None
) -> None:
    source = write_tone(tmp_path / "source", container, codec, video=video)
    assert await make_rendition(source, tmp_path / "target") is None
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(("container", "codec", "video", "content_type", "made"), MADE)
async def test_what_they_do_not_is_made_on_the_same_clock(
    tmp_path: Path, container: str, codec: str, video: str | None, content_type: str, made: str
) -> None:
    source = write_tone(tmp_path / "source", container, codec, video=video)
    assert await make_rendition(source, tmp_path / "target") == content_type
    found, onset, seconds = tone_onset(tmp_path / "target")
    assert found == made
    assert onset == pytest.approx(tone_onset(source)[1], abs=0.06)
    assert seconds == pytest.approx(3.0, abs=0.12)
    if content_type == "audio/mp4":
        head = (tmp_path / "target").read_bytes()
        assert head.index(b"moov") < head.index(b"mdat")  # plays before it is loaded


@pytest.mark.parametrize("rate", [8000, 96_000])
async def test_phone_and_studio_rates(tmp_path: Path, rate: int) -> None:
    source = write_tone(tmp_path / "source", "aiff", "pcm_s16be", rate=rate, channels=1)
    assert await make_rendition(source, tmp_path / "target") == "audio/mp4"
    assert tone_onset(tmp_path / "target")[1:] == pytest.approx((1.0, 3.0), abs=0.15)


async def test_a_cut_file_is_made_as_far_as_it_goes(tmp_path: Path) -> None:
    source = write_tone(tmp_path / "source", "matroska", "ac3", seconds=10)
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 6 // 10])
    assert await make_rendition(source, tmp_path / "target") == "audio/mp4"
    assert 4 < tone_onset(tmp_path / "target")[2] < 8


async def test_row_1_a_playlist_is_not_followed(tmp_path: Path) -> None:
    secret = write_tone(tmp_path / "secret.wav", "wav", "pcm_s16le")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.ts"
        for text in (
            f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n",
            f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{secret}\n#EXT-X-ENDLIST\n",
            f"ffconcat version 1.0\nfile {secret}\n",
        ):
            source = tmp_path / "x.mp3"
            source.write_text(text)
            with pytest.raises(JobError) as caught:
                await make_rendition(source, tmp_path / "target")
            assert caught.value.code == "unsupported_media"
            assert not caught.value.retryable
        with pytest.raises(TimeoutError):
            listener.accept()
    assert not (tmp_path / "target").exists()


async def test_limits_end_in_a_failure_that_may_be_tried_again(tmp_path: Path) -> None:
    source = write_tone(tmp_path / "source", "aiff", "pcm_s16be")
    with pytest.raises(JobError, match="too long") as caught:
        await make_rendition(source, tmp_path / "target", RenditionLimits(total_seconds=0.01))
    assert caught.value.retryable
    with pytest.raises(JobError):
        await make_rendition(source, tmp_path / "target", RenditionLimits(memory_bytes=64 << 20))


async def test_being_cancelled_leaves_no_process(tmp_path: Path) -> None:
    source = write_tone(tmp_path / "source", "aiff", "pcm_s16be", seconds=120)
    task = asyncio.create_task(make_rendition(source, tmp_path / "target"))
    await asyncio.sleep(0.3)
    children = psutil.Process().children()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any("rendition_child" in " ".join(child.cmdline()) for child in psutil.Process().children()), (
        children
    )
