"""Copies or encodes the sound of one recording into a file that browsers play, on the recording's own clock.

The clock starts where the container does, as in `samples`: a position in the transcript is the same position here.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from app.asr.audio.source import Source, check_rate, open_source
from app.asr.playable import MP4, Packing, lossless_packing, plain_codec, plays_in_browsers
from app.core.errors import JobError

_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_BITS_A_CHANNEL = 64_000
_FRAME = 1024  # samples of one AAC frame
_JUMP_SECONDS = 0.05
_MAX_GAP_SECONDS = 3600.0


def render(source: Path, target: Path) -> str | None:
    """Answers the content type of what was written, None where browsers play `source` as it is.

    Raises JobError: `unsupported_media`, `media_invalid`, `no_audio_stream`.
    """
    with open_source(source) as opened:
        codec = plain_codec(opened.codec)
        if plays_in_browsers(
            container=opened.format_name, is_webm=_is_webm(source), audio=codec, video=_video_codec(opened)
        ):
            return None
        packing = lossless_packing(codec)
        if packing is not None and _copy(opened, target, packing):
            return packing.content_type
    with open_source(source) as opened:
        _encode(opened, target)
    return MP4.content_type


def render_clean(source: Path, target: Path) -> str:
    """The sound alone as audio/mp4, for strangers' ears: AAC is copied, all else encoded; no tag, no picture.

    Raises as `render`.
    """
    with open_source(source) as opened:
        if plain_codec(opened.codec) == "aac" and _copy(opened, target, MP4):
            return MP4.content_type
    with open_source(source) as opened:
        _encode(opened, target)
    return MP4.content_type


def _is_webm(path: Path) -> bool:
    with path.open("rb") as file:
        return b"webm" in file.read(64)


def _video_codec(source: Source) -> str | None:
    if not source.has_video:
        return None
    for stream in source.container.streams.video:
        if not stream.disposition & type(stream.disposition).attached_pic:
            return str(stream.codec_context.name) if stream.codec_context else "unknown"
    return None


def _open_target(target: Path, packing: Packing) -> Any:
    options = {"protocol_whitelist": "file"} | dict(packing.options)
    return av.open(str(target.absolute()), "w", format=packing.format, options=options)


def _start(source: Source) -> float:
    """Seconds on the container's clock that are position zero."""
    start = source.container.start_time
    return float(start / av.time_base) if start is not None else 0.0


def _copy(source: Source, target: Path, packing: Packing) -> bool:
    """Packets as they are, moved to position zero; False where the container will not take them."""
    packets = 0
    shift = round(_start(source) / source.stream.time_base)
    try:
        with _open_target(target, packing) as output:
            stream = output.add_stream_from_template(source.stream)
            for packet in _packets(source):
                if packet.dts is None or packet.pts is None or packet.is_corrupt:
                    continue
                if packing.format == "mp3" and (bytes(packet)[1:2] or b"\0")[0] & 0x06 != 0x02:
                    return False  # MPEG audio of another layer, which FFmpeg reads by the same decoder
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = stream
                output.mux(packet)
                packets += 1
    except (av.error.FFmpegError, ValueError):
        return False
    return packets > 0


def _packets(source: Source) -> Iterator[Any]:
    """Up to the end, or to the first damage that reading does not survive."""
    packets = source.container.demux(source.stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError, ValueError):
            return
        if packet.size:
            yield packet


def _encode(source: Source, target: Path) -> None:
    """AAC, at the recording's own rate where AAC has it, in mono or stereo; memory does not grow with the length."""
    rate = source.sample_rate if source.sample_rate in _RATES else 48_000
    layout = "mono" if source.channels == 1 else "stereo"
    with _open_target(target, MP4) as output:
        stream = output.add_stream("aac", rate=rate, layout=layout)
        stream.bit_rate = _BITS_A_CHANNEL * (1 if layout == "mono" else 2)
        sound = _Sound(source, rate, layout)
        for frame in sound:
            output.mux(stream.encode(frame))
        if not sound.samples:
            raise JobError(
                "media_invalid", "Nothing in this file could be decoded: its audio data is damaged."
            )
        output.mux(stream.encode(None))


class _Sound:
    """Frames of one shape, in order, with silence where the recording's clock jumps ahead."""

    def __init__(self, source: Source, rate: int, layout: str) -> None:
        self._source, self._rate, self._layout = source, rate, layout
        self._origin = _start(source)
        self._fifo = av.AudioFifo()
        self._resampler: Any = None
        self._shape: tuple[str, int, str] | None = None
        self._heard = 0.0  # seconds taken in, silence included
        self.samples = 0

    def __iter__(self) -> Iterator[Any]:
        for frame in self._frames():
            self._take(frame)
            yield from self._full_frames()
        self._flush()
        yield from self._full_frames()
        rest = self._fifo.read(0, partial=True)
        if rest is not None:
            yield self._stamped(rest)

    def _frames(self) -> Iterator[Any]:
        for packet in _packets(self._source):
            try:
                yield from packet.decode()
            except (av.error.FFmpegError, ValueError):
                continue

    def _take(self, frame: Any) -> None:
        check_rate(frame.sample_rate)
        shape = (frame.format.name, frame.sample_rate, frame.layout.name)
        if shape != self._shape:
            self._flush()
            self._shape = shape
            self._resampler = av.AudioResampler("fltp", self._layout, self._rate)
        self._fill_gap(frame)
        self._heard += frame.samples / frame.sample_rate
        frame.pts = None
        for out in self._resampler.resample(frame):
            self._push(out)

    def _fill_gap(self, frame: Any) -> None:
        if frame.time is None:
            return
        gap = frame.time - self._origin - self._heard
        if not -_JUMP_SECONDS <= gap <= _MAX_GAP_SECONDS:
            self._origin = frame.time - self._heard  # the clock was set anew: go on from here
        elif gap > _JUMP_SECONDS:
            self._heard += gap
            left = round(gap * self._rate)
            while left > 0:
                silence = av.AudioFrame(format="fltp", layout=self._layout, samples=min(left, self._rate))
                for plane in silence.planes:
                    plane.update(bytes(plane.buffer_size))
                silence.sample_rate = self._rate
                left -= silence.samples
                self._push(silence)

    def _flush(self) -> None:
        if self._resampler is not None:
            for out in self._resampler.resample(None):
                self._push(out)
            self._resampler = None

    def _push(self, frame: Any) -> None:
        frame.pts = None
        self._fifo.write(frame)

    def _full_frames(self) -> Iterator[Any]:
        while self._fifo.samples >= _FRAME:
            yield self._stamped(self._fifo.read(_FRAME))

    def _stamped(self, frame: Any) -> Any:
        frame.pts, frame.time_base = self.samples, Fraction(1, self._rate)
        self.samples += frame.samples
        return frame
