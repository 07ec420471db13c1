"""What is heard keeps the place that it has in the recording, and nothing is called missing that is not."""

from __future__ import annotations

import random
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.asr.audio.channels import Polarity, first_channel
from app.asr.audio.samples import RATE, SampleReader
from app.asr.audio.source import open_source
from app.asr.engines.placing import in_order
from app.asr.types import Segment, Window, Word
from tests.fixtures.tone_model import sequence, tones
from tests.unit.asr.recordings import encode, wav

TONES = tones(sequence(12), noise=0.01)


def read(path: Path, *, stereo: bool = False) -> tuple[NDArray[np.int16], SampleReader]:
    with open_source(path) as source:
        reader = SampleReader(source, max_seconds=600, stereo=stereo)
        return np.concatenate(list(reader)), reader


def beep_at(seconds: float, *, length: int = 60) -> NDArray[np.float32]:
    """Quiet noise with one loud second."""
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 0.003, length * RATE).astype(np.float32)
    begin = int(seconds * RATE)
    sound[begin : begin + RATE] += 0.5 * np.sin(np.arange(RATE, dtype=np.float32) * 0.3)
    return sound


@pytest.mark.parametrize("damage", ["noise", "zeros"])
def test_a_damaged_stretch_of_bare_frames_takes_its_time(damage: str, tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", beep_at(50), "mp3")
    data = bytearray(path.read_bytes())
    begin, size = len(data) // 3, len(data) // 10
    data[begin : begin + size] = random.Random(7).randbytes(size) if damage == "noise" else bytes(size)
    path.write_bytes(data)
    sound, reader = read(path)
    loud = np.flatnonzero(np.abs(sound) > 8_000)
    assert loud[0] / RATE == pytest.approx(50, abs=0.3)
    assert len(sound) / RATE == pytest.approx(60, abs=0.3)
    assert reader.damaged
    assert reader.lost_ms == pytest.approx(6_000, abs=600)


def test_titles_and_pictures_between_joined_files_take_no_time(tmp_path: Path) -> None:
    picture = random.Random(3).randbytes(60_000)
    size = bytes((len(picture) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    tag = b"ID3\x03\x00\x00" + size + picture
    first = encode(tmp_path / "a.mp3", TONES, "mp3").read_bytes()
    both = tmp_path / "both.mp3"
    both.write_bytes(first + tag + first)
    sound, _ = read(both)
    assert len(sound) / RATE == pytest.approx(24, abs=0.5)


def test_channels_of_opposite_sign_do_not_cancel_each_other(tmp_path: Path) -> None:
    voice = (TONES * 30_000).astype("<i2")
    stereo = np.stack([voice, -voice], axis=1)
    path = tmp_path / "a.wav"
    path.write_bytes(wav(stereo.tobytes(), channels=2))
    sound, _ = read(path)
    assert np.abs(sound[: len(voice)].astype(int) - voice).max() <= 2
    both, _ = read(path, stereo=True)
    assert (both[: len(voice)] == stereo).all()


@pytest.mark.parametrize(("left", "right"), [(1.0, 1.0), (1.0, 0.0), (1.0, -0.9), (0.0, 0.0)])
def test_other_channels_are_mixed(left: float, right: float) -> None:
    voice = (TONES[:RATE] * 30_000)[None]
    frame = av.AudioFrame.from_ndarray(
        np.concatenate([voice * left, voice * right]).astype("int16"), format="s16p", layout="stereo"
    )
    frame.sample_rate = RATE
    assert not Polarity().cancels(frame)
    assert first_channel(frame).layout.nb_channels == 1


@pytest.mark.parametrize("name", ["mp4", "mkv"])
def test_a_picture_that_lasts_longer_than_its_sound_is_no_missing_sound(name: str, tmp_path: Path) -> None:
    path = encode(tmp_path / f"a.{name}", TONES, name)
    longer = tmp_path / f"b.{name}"
    with av.open(str(path)) as source, av.open(str(longer), "w") as output:
        streams = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
        last = 0.0
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "audio" and packet.pts * packet.time_base > 6:
                continue
            last = max(last, float(packet.pts * packet.time_base))
            packet.stream = streams[packet.stream.index]
            output.mux(packet)
    assert last > 11
    with open_source(longer) as opened:
        assert opened.has_video
        assert opened.hint_ms is not None
        assert not opened.hint_is_exact or opened.hint_ms < 6_500


def test_segments_without_room_hold_their_words() -> None:
    """Whisper at times puts a whole sentence on the last moment of a window, or beyond it."""
    window = Window(0, 10_000, 20_000)
    words = tuple(Word(text, 20_500, 20_500, 0.9) for text in ("Red", "meet", "seven."))
    placed = in_order(
        [
            Segment(19_999, 20_400, "Red meet seven.", words),
            Segment(20_500, 20_500, "Red meet seven.", words),
        ],
        window,
    )
    assert placed[-1].end_ms <= window.end_ms
    for segment, following in zip(placed, [*placed[1:], None], strict=True):
        inside = [(word.start_ms, word.end_ms) for word in segment.words]
        assert segment.start_ms <= inside[0][0]
        assert inside[-1][1] <= segment.end_ms
        assert all(start < end for start, end in inside)
        if following is not None:
            assert segment.end_ms <= following.start_ms
