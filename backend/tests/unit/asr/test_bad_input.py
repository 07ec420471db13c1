"""Every bad file ends in its code and a sentence; what can be read is read."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from app.asr.host import spawn
from app.asr.host.decoder import Decoder, Finished, Planned
from app.asr.limits import MediaLimits
from app.asr.types import MediaSummary, TranscribeOptions, Vad
from app.core.errors import JobError
from tests.fixtures.tone_model import tones
from tests.unit.asr.recordings import encode, pcm, sequence, wav

NOISE = random.Random(1).randbytes(60_000)
TONES = tones(sequence(12))


def floats(value: float, at: int = 20_000) -> bytes:
    samples = TONES.copy()
    samples[at] = value
    return wav(samples.astype("<f4").tobytes(), bits=32, kind=3)


def layout(channels: int) -> bytes:
    one = (TONES * 30_000).astype("<i2")
    return wav(np.repeat(one[:, None], channels, 1).tobytes(), channels=channels)


async def read(
    decoder: Decoder, path: Path, *, vad: Vad = Vad.OFF, seconds: int = 3600, stall: float = 60
) -> MediaSummary:
    """The summary of a file, as a job would get it."""
    limits = MediaLimits(max_audio_seconds=seconds, stall_seconds=stall)
    async with decoder.open(path, TranscribeOptions(vad=vad), limits) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event.summary
    raise AssertionError("no summary")


REFUSED = {
    "zero bytes": (b"", "unsupported_media", "empty"),
    "one byte": (b"x", "unsupported_media", "text"),
    "text": (b"Dear Sir, this is no sound.\n" * 200, "unsupported_media", "text"),
    "html": (b"<!DOCTYPE html><html><body>404</body></html>" * 40, "unsupported_media", "web page"),
    "noise": (NOISE, "unsupported_media", "not an audio"),
    "png": (b"\x89PNG\r\n\x1a\n" + NOISE, "unsupported_media", "image"),
    "pdf": (b"%PDF-1.7\n" + NOISE, "unsupported_media", "PDF"),
    "zip": (b"PK\x03\x04" + NOISE, "unsupported_media", "archive"),
    "concat script": (b"ffconcat version 1.0\nfile 'neighbour.wav'\n", "unsupported_media", "playlist"),
    "m3u8": (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:12\n#EXTINF:12,\nneighbour.wav\n#EXT-X-ENDLIST\n",
        "unsupported_media",
        "playlist",
    ),
    "sdp": (
        b"v=0\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n",
        "unsupported_media",
        "playlist",
    ),
    "dash": (
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>',
        "unsupported_media",
        "playlist",
    ),
    "1 sample": (wav(pcm()[:2]), "audio_too_short", "tenth"),
    "2 samples": (wav(pcm()[:4]), "audio_too_short", "tenth"),
    "201 samples": (wav(pcm()[:402]), "audio_too_short", "tenth"),
    "99 ms": (wav(pcm()[: 99 * 32]), "audio_too_short", "tenth"),
    "header only": (wav(b""), "audio_too_short", "tenth"),
    "nan": (floats(np.nan), "audio_invalid", "NaN"),
    "inf": (floats(np.inf), "audio_invalid", "NaN"),
    "1 Hz": (wav(pcm(), rate=1), "media_invalid", "1 Hz"),
    "2 GHz": (wav(pcm(), rate=2_000_000_000), "media_invalid", "Hz"),
    "no channels": (wav(pcm(), channels=0), "media_invalid", "channels"),
    "65535 channels": (wav(pcm(), channels=65_535), "media_invalid", "channels"),
    "mp4 without index": (struct.pack(">I4s", 24, b"ftyp") + b"isom" * 4 + NOISE, "media_invalid", "index"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused(name: str, decoder: Decoder, tmp_path: Path) -> None:
    data, code, word = REFUSED[name]
    (tmp_path / "neighbour.wav").write_bytes(wav(pcm(12)))
    path = tmp_path / "upload.mp3"
    path.write_bytes(data)
    with pytest.raises(JobError) as caught:
        await read(decoder, path)
    assert caught.value.code == code
    assert word in caught.value.message
    assert decoder.pids == ()


READ = {
    "100 ms": (wav(pcm()[:3200]), 100),
    "huge floats": (wav((TONES * 1e30).astype("<f4").tobytes(), bits=32, kind=3), 12_000),
    "8 channels": (layout(8), 12_000),
    "40 channels": (layout(40), 12_000),
    "5513 Hz": (wav(pcm(), rate=5513), 5_804),
    "4000 Hz": (wav(pcm(), rate=4000), 8_000),
    "384 kHz": (wav(pcm(2), rate=384_000), 83),
    "length unknown": (wav(pcm(4), claim=0xFFFFFFFF), 4_000),
}


@pytest.mark.parametrize("name", [name for name in READ if name != "384 kHz"])
async def test_read_without_a_warning(name: str, decoder: Decoder, tmp_path: Path) -> None:
    data, duration_ms = READ[name]
    path = tmp_path / "Запись 録音 🎙.mp3"
    path.write_bytes(data)
    summary = await read(decoder, path)
    assert summary.duration_ms == pytest.approx(duration_ms, abs=1)
    assert summary.notices == ()


@pytest.mark.parametrize("name", ["wav", "mp3", "flac", "ogg", "webm", "mkv"])
async def test_truncated_is_read_to_the_cut(name: str, decoder: Decoder, tmp_path: Path) -> None:
    whole = encode(tmp_path / f"whole.{name}", TONES, name).read_bytes()
    path = tmp_path / f"cut.{name}"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    summary = await read(decoder, path)
    assert 5_500 <= summary.duration_ms <= 7_500
    assert [notice.code for notice in summary.notices] == ["media_truncated"]


@pytest.mark.parametrize("name", ["m4a", "mp4"])
async def test_truncated_with_the_index_lost(name: str, decoder: Decoder, tmp_path: Path) -> None:
    whole = encode(tmp_path / f"whole.{name}", TONES, name).read_bytes()
    path = tmp_path / f"cut.{name}"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.raises(JobError, match="index") as caught:
        await read(decoder, path)
    assert caught.value.code == "media_invalid"


async def test_header_that_claims_two_gigabytes(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "liar.wav"
    path.write_bytes(wav(pcm(4), claim=0x7FFFFFF0))
    summary = await read(decoder, path)
    assert (summary.duration_ms, [notice.code for notice in summary.notices]) == (4_000, ["media_truncated"])


async def test_damage_inside_keeps_the_clock(decoder: Decoder, tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", TONES, "m4a")
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 12_000] = NOISE[:12_000]
    path.write_bytes(data)
    summary = await read(decoder, path)
    assert summary.duration_ms == pytest.approx(12_000, abs=100)


async def test_duration_limit_counts_decoded_samples(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(wav(bytes(16_000 * 2 * 61), claim=32_000))  # the header says one second
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(data)
    with pytest.raises(JobError, match="longer") as caught:
        await read(decoder, path, seconds=60)
    assert caught.value.code == "duration_limit"


async def test_silence_has_no_windows(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    path.write_bytes(wav(bytes(16_000 * 2 * 20)))
    summary = await read(decoder, path, vad=Vad.AUTO)
    assert (summary.windows, summary.speech_ms) == (0, 0)
    assert [notice.code for notice in summary.notices] == ["no_speech"]


async def test_video_without_sound(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as output:
        pictures = output.add_stream("mpeg4", rate=5)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            output.mux(pictures.encode(frame))
        output.mux(pictures.encode(None))
    with pytest.raises(JobError) as caught:
        await read(decoder, path)
    assert caught.value.code == "no_audio_stream"


async def test_mp3_with_a_cover(decoder: Decoder, tmp_path: Path) -> None:
    sound = encode(tmp_path / "a.mp3", TONES, "mp3").read_bytes()
    picture = b"\x89PNG\r\n\x1a\n" + NOISE[:5000]
    body = b"\0image/png\0\3\0" + picture
    tag = b"APIC" + struct.pack(">IH", len(body), 0) + body
    size = len(tag)
    head = b"ID3\3\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])
    path = tmp_path / "cover.mp3"
    path.write_bytes(head + tag + sound)
    summary = await read(decoder, path)
    assert summary.duration_ms == pytest.approx(12_000, abs=60)
    assert (summary.has_video, summary.notices) == (False, ())


async def test_a_sound_that_begins_late_keeps_its_place(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w", format="matroska") as output:
        pictures = output.add_stream("mpeg4", rate=5)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        sound = output.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for number in range(20):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            picture.pts = number
            output.mux(pictures.encode(picture))
        frame = av.AudioFrame.from_ndarray((TONES[None, :32_000] * 30_000).astype(np.int16), layout="mono")
        frame.sample_rate, frame.pts = 16_000, 16_000 * 2
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
        output.mux(pictures.encode(None))
    assert (await read(decoder, path)).duration_ms == pytest.approx(4_000, abs=10)


async def test_a_decoder_that_dies_fails_the_job_only(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm(1)))
    monkeypatch.setattr("app.asr.host.decoder.MODULE", "tests.unit.asr.dying_child")
    with pytest.raises(JobError, match="SIGSEGV") as caught:
        await read(decoder, path)
    assert caught.value.code == "media_invalid"


async def test_a_decoder_that_hangs_is_killed(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm(1)))
    monkeypatch.setattr("app.asr.host.decoder.MODULE", "tests.unit.asr.hanging_child")
    with pytest.raises(JobError, match="too long"):
        await read(decoder, path, stall=0.5)
    assert decoder.pids == ()


async def test_memory_of_the_samples_is_bounded(decoder: Decoder, tmp_path: Path) -> None:
    """The decoder waits while nobody takes its windows."""
    path = tmp_path / "long.wav"
    path.write_bytes(wav(bytes(16_000 * 2 * 600)))
    seen = 0
    async with decoder.open(path, TranscribeOptions(vad=Vad.OFF), MediaLimits()) as events:
        async for event in events:
            if isinstance(event, Planned):
                seen += 1
                assert len(event.pcm) == 30 * 32_000
                if seen == 3:
                    break
    assert decoder.pids == ()


def test_children_get_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET_KEY", "hush")
    assert "hush" not in spawn.child_environment().values()
