"""Opens one media file: allow-lists, the audio stream, and what the headers claim."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error

from app.asr.audio import formats
from app.core.errors import JobError

MIN_RATE, MAX_RATE = 4_000, 384_000
MAX_CHANNELS = 64
HEAD_BYTES = 64 * 1024
_CLOCK = re.compile(r"(\d{1,3}):(\d\d):(\d\d(?:\.\d{1,9})?)")


@dataclass(frozen=True, slots=True)
class Source:
    """An open recording. `container` and `stream` are PyAV objects; `hint_ms` is the header's claim, a hint."""

    container: Any
    stream: Any
    format_name: str
    codec: str
    sample_rate: int
    channels: int
    channel_layout: str
    has_video: bool
    hint_ms: int | None
    hint_is_exact: bool


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The recording at `path`, closed at the end.

    Raises JobError: `unsupported_media`, `media_invalid`, `no_audio_stream`.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    container = _open(path, head)
    try:
        yield _inspect(container, head)
    finally:
        container.close()


def _open(path: Path, head: bytes) -> Any:
    if not head:
        raise JobError("unsupported_media", formats.describe(head))
    try:
        return av.open(str(path.absolute()), options=formats.open_options(), metadata_errors="replace")
    except (av.error.FFmpegError, ValueError, OSError) as error:
        if looks_like_media(head):
            raise JobError(
                "media_invalid",
                "The file begins like a recording, but its index or headers are lost or wrong. Where a download or"
                " a recording was cut off, get or export the file again.",
            ) from error
        raise JobError("unsupported_media", formats.describe(head)) from error


def looks_like_media(head: bytes) -> bool:
    """Whether the first bytes carry the mark of a container that is read here."""
    marks = (
        b"RIFF",
        b"RF64",
        b"fLaC",
        b"OggS",
        b"ID3",
        b"FORM",
        b"caff",
        b".snd",
        b"\x1aE\xdf\xa3",
        b"#!AMR",
        b"FLV",
    )
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return False
    return head.startswith(marks) or head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def _inspect(container: Any, head: bytes) -> Source:
    name = str(container.format.name)
    if not set(name.split(",")) & formats.CONTAINERS:
        raise JobError("unsupported_media", formats.describe(head))
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not streams:
        raise JobError(
            "no_audio_stream", "There is no audio in this file, so there is nothing to transcribe."
        )
    readable = [stream for stream in streams if stream.codec_context.name in formats.codecs()]
    if not readable:
        codec = streams[0].codec_context.name
        raise JobError("unsupported_media", f"The audio is coded as {codec}, which is not read here.")
    stream = max(readable, key=_preference)
    for other in container.streams:
        if other.index != stream.index:
            other.discard = av.stream.Discard.all
    context = stream.codec_context
    if not looks_like_media(head) and not (context.sample_rate and context.channels):
        raise JobError("unsupported_media", formats.describe(head))  # noise that was taken for MP3
    check_rate(context.sample_rate)
    if not 1 <= context.channels <= MAX_CHANNELS:
        raise JobError(
            "media_invalid",
            f"The file claims a number of channels that cannot be: 1 to {MAX_CHANNELS} can be read.",
        )
    has_video = any(not _is_cover(video) for video in container.streams.video)
    own_ms = _own_duration_ms(stream)
    whole_ms = container.duration // 1000 if container.duration and container.duration > 0 else None
    return Source(
        container=container,
        stream=stream,
        format_name=name,
        codec=str(context.name),
        sample_rate=int(context.sample_rate),
        channels=int(context.channels),
        channel_layout=_layout(context),
        has_video=has_video,
        hint_ms=own_ms or whole_ms,
        # A picture may last longer than its sound: the whole file's duration says nothing of what is missing there.
        hint_is_exact=_duration_is_written(name, head) and (own_ms is not None or not has_video),
    )


def check_rate(rate: int) -> None:
    """Refuses sample rates that no recording has: one of 1 Hz would unfold into days of samples."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise JobError(
            "media_invalid", f"The file claims a sample rate of {rate} Hz; 4 to 384 kHz can be read."
        )


def _layout(context: Any) -> str:
    """FFmpeg's name of the channels' places; where the file gives none, what one and two channels always are."""
    return {1: "mono", 2: "stereo"}.get(context.channels, str(context.layout.name))


def _own_duration_ms(stream: Any) -> int | None:
    """How long the audio stream says that it is; Matroska writes that as a tag, where at all."""
    if stream.duration and stream.time_base and stream.duration > 0:
        return int(stream.duration * stream.time_base * 1000)
    written = _CLOCK.match(stream.metadata.get("DURATION", ""))
    if written is None:
        return None
    hours, minutes, seconds = written.groups()
    return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000) or None


def _preference(stream: Any) -> tuple[bool, int]:
    """The default stream, else the first."""
    return bool(stream.disposition & type(stream.disposition).default), -stream.index


def _is_cover(video: Any) -> bool:
    return bool(video.disposition & type(video.disposition).attached_pic)


def _duration_is_written(name: str, head: bytes) -> bool:
    """Whether the duration is a count in the header, not FFmpeg's guess from size and bit rate."""
    if name == "mp3":
        start = 0
        if head.startswith(b"ID3") and len(head) > 10:
            size = head[6:10]
            start = 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
        frame = head[start : start + 4096]
        return b"Xing" in frame or b"Info" in frame or b"VBRI" in frame
    return name not in {"aac", "ac3", "eac3", "dts", "loas", "amr", "amrnb", "amrwb", "gsm", "flv", "rm"}
