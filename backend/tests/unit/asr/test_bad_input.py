"""Every bad file ends in its code and a sentence; what can be read is read."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import struct
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from app.asr.host.decoder import Decoder, Finished, Planned
from app.asr.limits import MediaLimits
from app.asr.types import MediaSummary, TranscribeOptions, Vad
from app.core.child import spawn
from app.core.errors import JobError
from tests.fixtures.tone_model import sequence, tones
from tests.unit.asr.recordings import encode, pcm, wav

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
    "claims 12 s, holds 1 sample": (wav(pcm()[:2], claim=12 * 32_000), "audio_too_short", "tenth"),
    "claims 4 GiB, holds nothing": (wav(b"", claim=0xFFFFFFF0), "audio_too_short", "tenth"),
    "garbage after the mark of FLAC": (b"fLaC" + NOISE, "media_invalid", "headers"),
    "garbage after the mark of Ogg": (b"OggS" + NOISE, "media_invalid", "headers"),
    "garbage after the mark of Matroska": (b"\x1aE\xdf\xa3" + NOISE, "media_invalid", "headers"),
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


async def test_row_5_header_that_claims_two_gigabytes(decoder: Decoder, tmp_path: Path) -> None:
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


FORGED = {  # box of an MP4's index, offset of a count inside it, what is written there
    "sample count 0": (b"stsz", 8, 0),
    "sample count 1": (b"stsz", 8, 1),
    "sample count a million": (b"stsz", 8, 0xFFFFF),
    "sample count 2^31-1": (b"stsz", 8, 0x7FFFFFFF),
    "sample count 2^32-1": (b"stsz", 8, 0xFFFFFFFF),
    "sample size 2^31-1": (b"stsz", 4, 0x7FFFFFFF),
    "durations count 2^32-1": (b"stts", 4, 0xFFFFFFFF),
    "duration of a sample 0": (b"stts", 12, 0),
    "duration of a sample 2^31-1": (b"stts", 12, 0x7FFFFFFF),
    "samples of a chunk 0": (b"stsc", 12, 0),
    "samples of a chunk 2^32-1": (b"stsc", 12, 0xFFFFFFFF),
    "chunks count 0": (b"stco", 4, 0),
    "place of a chunk beyond the file": (b"stco", 8, 0x7FFFFFFF),
    "ticks of a second 0": (b"mdhd", 12, 0),
    "ticks of a second 2^32-1": (b"mdhd", 12, 0xFFFFFFFF),
}


@pytest.mark.parametrize("name", FORGED)
async def test_mp4_with_a_forged_index(name: str, decoder: Decoder, tmp_path: Path) -> None:
    box, offset, value = FORGED[name]
    path = encode(tmp_path / "a.m4a", TONES, "m4a")
    data = bytearray(path.read_bytes())
    at = data.index(box) + 4 + offset
    data[at : at + 4] = struct.pack(">I", value)
    path.write_bytes(data)
    with pytest.raises(JobError) as caught:
        await read(decoder, path)
    assert caught.value.code == "media_invalid"
    assert decoder.pids == ()


MINUTE = tones(sequence(60), noise=0.01)


@pytest.mark.parametrize("damage", ["noise", "zeros"])
@pytest.mark.parametrize("name", ["mp3", "m4a", "flac", "ogg", "webm", "mkv", "mp4"])
async def test_corrupt_packets_are_skipped(name: str, damage: str, decoder: Decoder, tmp_path: Path) -> None:
    """`container.decode` would end at the first. The clock is kept, and nine tenths of the sound."""
    path = encode(tmp_path / f"a.{name}", MINUTE, name)
    data = bytearray(path.read_bytes())
    size = len(data) // 1000
    for part in (0.1, 0.55) if name != "webm" else (0.55,):  # there, one mark takes up to 5 s with it
        at = int(len(data) * part)
        data[at : at + size] = random.Random(at).randbytes(size) if damage == "noise" else bytes(size)
    path.write_bytes(data)
    parts = []
    async with decoder.open(path, TranscribeOptions(vad=Vad.OFF), MediaLimits()) as events:
        async for event in events:
            if isinstance(event, Planned):
                parts.append(np.frombuffer(event.pcm, np.int16))
    sound = np.concatenate(parts)
    assert len(sound) / 16_000 == pytest.approx(60, rel=0.01)
    heard = sound[: len(sound) // 320 * 320].reshape(-1, 320).std(axis=1) > 100
    assert heard.mean() >= 0.9


async def test_a_rate_that_changes_inside_the_file(decoder: Decoder, tmp_path: Path) -> None:
    """Two recordings in one stream: the resampler is made anew, and no time is lost."""
    first = encode(tmp_path / "a.mp3", TONES, "mp3").read_bytes()
    second = tmp_path / "b.mp3"
    with av.open(str(second), "w", options={"write_xing": "0", "id3v2_version": "0"}) as output:
        stream = output.add_stream("libmp3lame", rate=16_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.repeat(TONES[None], 2, 0), format="fltp", layout="stereo")
        frame.sample_rate = 16_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            output.mux(packet)
    path = tmp_path / "both.mp3"
    path.write_bytes(first + second.read_bytes())
    assert (await read(decoder, path)).duration_ms == pytest.approx(24_000, rel=0.01)


SCRIPTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}/a.ts\n#EXT-X-ENDLIST\n",
    "m3u": "#EXTM3U\n{url}/a.mp3\n",
    "plain list": "{url}/a.mp3\n",
    "pls": "[playlist]\nFile1={url}/a.mp3\nNumberOfEntries=1\n",
    "ffconcat": "ffconcat version 1.0\nfile '{url}/a.mp3'\n",
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n",
    "rtsp sdp": "v=0\r\ns=x\r\na=control:rtsp://127.0.0.1:{port}/a\r\nm=audio 0 RTP/AVP 0\r\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType='
    '"audio/mp4"><Representation id="1"><BaseURL>{url}/</BaseURL></Representation></AdaptationSet></Period></MPD>',
    "smil": '<smil><body><audio src="{url}/a.mp3"/></body></smil>',
    "asx": '<asx version="3.0"><entry><ref href="{url}/a.mp3"/></entry></asx>',
    "windows media": "[Reference]\r\nRef1={url}/a.asf\r\n",
    "address": "{url}/a.mp3",
}
ENDINGS = {"m3u8": "m3u8", "ffconcat": "ffconcat", "sdp": "sdp", "dash": "mpd"}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_row_3_scripts_open_no_connection(name: str, decoder: Decoder, tmp_path: Path) -> None:
    calls: list[str] = []

    async def answer(_reader: object, writer: asyncio.StreamWriter) -> None:
        calls.append(name)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    script = SCRIPTS[name].format(url=f"http://127.0.0.1:{port}", port=port)
    path = tmp_path / f"a.{ENDINGS.get(name, 'mp3')}"
    path.write_text(script, encoding="utf-8", newline="")
    with pytest.raises(JobError) as caught:
        await read(decoder, path)
    server.close()
    await server.wait_closed()
    assert (caught.value.code, calls) == ("unsupported_media", [])


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells limits of a process on Linux only")
async def test_row_6_the_process_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(bytes(16_000 * 2 * 600)))
    limits = MediaLimits(memory_bytes=1 << 30, cpu_seconds=77)
    decoder = Decoder(nice=7)
    async with decoder.open(path, TranscribeOptions(vad=Vad.OFF), limits) as events:
        await anext(events)
        [pid] = decoder.pids
        table = Path(f"/proc/{pid}/limits").read_text()
        assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + 7
        assert os.getpgid(pid) == pid
    bounds = {line[:26].strip(): line[26:].split()[:2] for line in table.splitlines()[1:]}
    assert bounds["Max address space"] == [str(1 << 30)] * 2
    assert bounds["Max cpu time"] == ["77", "82"]
    assert bounds["Max core file size"] == ["0", "0"]
    assert bounds["Max file size"] == [str(1 << 20)] * 2


async def test_row_6_a_file_that_costs_too_much_time_is_stopped(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(NOISE * 1500))
    async with decoder.open(path, TranscribeOptions(vad=Vad.AUTO), MediaLimits(cpu_seconds=1)) as events:
        with pytest.raises(JobError, match="SIGXCPU") as caught:
            _ = [event async for event in events]
    assert caught.value.code == "media_invalid"


async def test_row_5_duration_limit_counts_decoded_samples(decoder: Decoder, tmp_path: Path) -> None:
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


async def test_row_4_mp3_with_a_cover(decoder: Decoder, tmp_path: Path) -> None:
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


async def test_row_6_a_decoder_that_dies_fails_the_job_only(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm(1)))
    monkeypatch.setattr("app.asr.host.decoder.MODULE", "tests.unit.asr.dying_child")
    with pytest.raises(JobError, match="SIGSEGV") as caught:
        await read(decoder, path)
    assert caught.value.code == "media_invalid"


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM])
async def test_row_6_a_decoder_that_somebody_kills_says_nothing_of_the_file(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: signal.Signals
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm(1)))
    monkeypatch.setattr("app.asr.host.decoder.MODULE", "tests.unit.asr.hanging_child")
    asyncio.get_running_loop().call_later(1, lambda: [os.kill(pid, kind) for pid in decoder.pids])
    with pytest.raises(JobError, match=kind.name) as caught:
        await read(decoder, path)
    assert (caught.value.code, caught.value.retryable) == ("decoder_killed", True)


async def test_row_6_a_decoder_that_hangs_is_killed(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm(1)))
    monkeypatch.setattr("app.asr.host.decoder.MODULE", "tests.unit.asr.hanging_child")
    with pytest.raises(JobError, match="too long"):
        await read(decoder, path, stall=0.5)
    assert decoder.pids == ()


async def test_row_5_memory_of_the_samples_is_bounded(decoder: Decoder, tmp_path: Path) -> None:
    """The decoder waits while nobody takes its windows, and says nothing when it is killed meanwhile."""
    path = tmp_path / "long.wav"
    path.write_bytes(wav(bytes(16_000 * 2 * 600)))
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    seen = 0
    async with decoder.open(path, TranscribeOptions(vad=Vad.OFF), MediaLimits()) as events:
        async for event in events:
            if isinstance(event, Planned):
                seen += 1
                assert len(event.pcm) == 30 * 32_000
                if seen == 3:
                    break
    assert decoder.pids == ()
    gc.collect()
    await asyncio.sleep(0)
    asyncio.get_running_loop().set_exception_handler(None)
    assert complaints == []


def test_row_6_children_get_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET_KEY", "hush")
    assert "hush" not in spawn.child_environment().values()
