"""Rows 1, 2, 4, 5 and 7 of the threat table: files that name other files, carry pictures, or are longer than they look."""

from __future__ import annotations

from pathlib import Path

import av
import av.logging
import numpy as np
import pytest

from app.asr.audio import formats
from app.asr.host.decoder import Decoder
from app.core.errors import JobError
from tests.unit.asr.recordings import pcm, wav
from tests.unit.asr.test_bad_input import TONES, read

SPELLINGS = {
    "absolute": "{path}",
    "file://": "file://{path}",
    "relative": "neighbour.wav",
    "up and down": "../{folder}/neighbour.wav",
    "subfile": "subfile,,start,0,end,0,,:{path}",
    "concat": "concat:{path}|{path}",
}
HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:12\n#EXTINF:12,\n{name}\n#EXT-X-ENDLIST\n"
LIST = "ffconcat version 1.0\nfile '{name}'\nduration 12\n"


async def refused(decoder: Decoder, folder: Path, script: str, spelling: str) -> None:
    neighbour = folder / "neighbour.wav"
    neighbour.write_bytes(wav(pcm(12)))
    upload = folder / "upload.mp3"
    upload.write_text(
        script.format(name=SPELLINGS[spelling].format(path=neighbour, folder=folder.name)), encoding="utf-8"
    )
    with pytest.raises(JobError) as caught:
        await read(decoder, upload)
    assert caught.value.code == "unsupported_media"
    assert str(neighbour) not in caught.value.message


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_row_1_a_playlist_reads_no_other_file(decoder: Decoder, tmp_path: Path, spelling: str) -> None:
    await refused(decoder, tmp_path, HLS, spelling)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_row_2_a_list_of_files_reads_none_of_them(
    decoder: Decoder, tmp_path: Path, spelling: str
) -> None:
    await refused(decoder, tmp_path, LIST, spelling)


async def test_row_4_no_decoder_of_pictures_runs(decoder: Decoder, tmp_path: Path) -> None:
    """CVE-2026-8461 is in MagicYUV: the sound beside such pictures is read, they are never decoded."""
    path = tmp_path / "a.avi"
    with av.open(str(path), "w", format="avi") as output:
        pictures = output.add_stream("magicyuv", rate=5)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "gbrp"
        sound = output.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for number in range(10):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), format="rgb24")
            picture.pts = number
            output.mux(pictures.encode(picture))
        frame = av.AudioFrame.from_ndarray((TONES[None, :32_000] * 30_000).astype(np.int16), layout="mono")
        frame.sample_rate, frame.pts = 16_000, 0
        output.mux(sound.encode(frame))
        output.mux([*pictures.encode(None), *sound.encode(None)])
    summary = await read(decoder, path)
    assert (summary.duration_ms, summary.has_video) == (2_000, True)
    av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture() as said, av.open(str(path), options=formats.open_options()) as ours:
        assert ours.streams.video[0].codec_context.name == "magicyuv"
    av.logging.set_level(None)
    assert any("magicyuv" in line and "whitelist" in line for _, _, line in said)  # not even to look at it


def test_row_4_only_decoders_of_sound_are_allowed() -> None:
    kinds = {name: av.Codec(name, "r").type for name in formats.codecs()}
    assert {name for name, kind in kinds.items() if kind != "audio"} == set()
    assert len(kinds) > 30


async def test_row_5_ten_hours_in_a_few_megabytes_end_at_the_limit(decoder: Decoder, tmp_path: Path) -> None:
    """Silence compresses a hundredfold: what counts is decoded samples, and nothing of them is kept on disk."""
    one = tmp_path / "second.aac"
    with av.open(str(one), "w", format="adts") as output:
        sound = output.add_stream("aac", rate=16_000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 16_000
        output.mux([*sound.encode(silence), *sound.encode(None)])
    data = one.read_bytes()
    frames = [data[at : at + length(data, at)] for at in starts(data)]
    bomb = tmp_path / "bomb.aac"
    bomb.write_bytes(frames[len(frames) // 2] * (36_000 * 16_000 // 1024))
    assert bomb.stat().st_size < 16 << 20
    with pytest.raises(JobError) as caught:
        await read(decoder, bomb, seconds=1200)
    assert caught.value.code == "duration_limit"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bomb.aac", "second.aac"]


def length(data: bytes, at: int) -> int:
    """Bytes of the ADTS frame that begins here: 13 bits, across three bytes of its header."""
    return (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5


def starts(data: bytes) -> list[int]:
    found = [0]
    while (after := found[-1] + length(data, found[-1])) < len(data):
        found.append(after)
    return found


@pytest.mark.parametrize("samples", [0, 1, 200, 201])
async def test_row_7_a_handful_of_samples_ends_without_the_engine(
    decoder: Decoder, tmp_path: Path, samples: int
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm()[: samples * 2]))
    with pytest.raises(JobError) as caught:
        await read(decoder, path)
    assert caught.value.code == "audio_too_short"
