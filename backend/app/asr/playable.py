"""What browsers play, by container and codec; and what a copy without loss would be packed in.

A table of what Chromium, Firefox and Safari of the last years have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

_ALIASES = {"mp3float": "mp3", "libopus": "opus", "libvorbis": "vorbis"}

_MP4_AUDIO = {"aac", "mp3", "opus", "flac"}
_MP4_VIDEO = {"h264", "hevc", "vp9", "av1", "libdav1d", "libaom-av1"}
_WAV_AUDIO = {"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_alaw", "pcm_mulaw"}
_OGG_AUDIO = {"opus", "vorbis", "flac"}


@dataclass(frozen=True, slots=True)
class Packing:
    """FFmpeg's name of a container, its options, and the type that browsers know it by."""

    format: str
    content_type: str
    options: tuple[tuple[str, str], ...] = ()


MP4 = Packing("mp4", "audio/mp4", (("movflags", "+faststart"),))
_WEBM = Packing("webm", "audio/webm")
_MP3 = Packing("mp3", "audio/mpeg")
_FLAC = Packing("flac", "audio/flac")

_COPIES = {"aac": MP4, "mp3": _MP3, "opus": _WEBM, "vorbis": _WEBM, "flac": _FLAC}


def plain_codec(name: str) -> str:
    """The codec, whichever decoder reads it."""
    return _ALIASES.get(name, name)


def plays_in_browsers(*, container: str, is_webm: bool, audio: str, video: str | None) -> bool:
    """`container` is FFmpeg's list of names, `audio` and `video` are codecs, `video` None without pictures.

    A picture that one browser lacks (HEVC) does not count while its sound plays everywhere.
    """
    names = set(container.split(","))
    if "matroska" in names:
        return is_webm
    if "mp4" in names:
        return audio in _MP4_AUDIO and (video is None or video in _MP4_VIDEO)
    if video is not None:
        return False
    if "wav" in names:
        return audio in _WAV_AUDIO
    if "ogg" in names:
        return audio in _OGG_AUDIO
    return bool(names & {"mp3", "flac", "aac"})


def lossless_packing(audio: str) -> Packing | None:
    """Where packets of this codec can be copied to, unchanged and quickly."""
    return _COPIES.get(audio)
