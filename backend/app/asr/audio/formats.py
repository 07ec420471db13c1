"""Which containers and codecs are read, and what the first bytes of anything else look like."""

from __future__ import annotations

from functools import cache

import av


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Names of FFmpeg's demuxers. Only formats that carry audio themselves: nothing that names other files (hls, dash,
# concat, sdp), renders (lavfi), reads devices, or is a still image or a subtitle.
CONTAINERS = _names(
    "3g2 3gp aac ac3 aiff amr amrnb amrwb ape asf au avi caf dsf dts eac3 f4v flac flv gsm loas m4a matroska mj2"
    " mov mp3 mp4 mpeg mpegts mxf nut oga ogg opus rm tta voc w64 wav webm wv"
)

_CODECS = _names(
    "aac aac_latm ac3 alac als amrnb amrwb ape cook dca eac3 flac g722 g723_1 g726 g729 gsm gsm_ms ilbc"
    " libopencore_amrnb libopencore_amrwb libopus mlp mp1 mp1float mp2 mp2float mp3 mp3float nellymoser opus"
    " qcelp real_144 real_288 s302m sipr speex truehd tta vorbis wavpack wmalossless wmapro wmav1 wmav2"
    " wmavoice"
)
_CODEC_FAMILIES = ("pcm_", "adpcm_ima_", "adpcm_ms", "adpcm_swf", "adpcm_yamaha", "dsd_")

_SCRIPTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"v=0\r", b"v=0\n", b"<?xml", b"<MPD", b"<smil", b"<asx")
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")


@cache
def codecs() -> frozenset[str]:
    """The audio decoders that may run, of those this build of FFmpeg has."""
    return frozenset(
        name for name in av.codecs_available if name in _CODECS or name.startswith(_CODEC_FAMILIES)
    )


def open_options() -> dict[str, str]:
    """Options for `av.open`: local files only, and the two allow-lists, enforced before any header is read."""
    return {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(sorted(CONTAINERS)),
        "codec_whitelist": ",".join(sorted(codecs())),
    }


def describe(head: bytes) -> str:
    """A sentence on what a file that is no recording seems to be, from its first bytes."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        return "The file is empty."
    if start[:16].lower().startswith(tuple(mark.lower() for mark in _SCRIPTS)):
        return "This is a playlist or a script that points to other files. Upload the recording itself."
    if start.startswith(_IMAGES) or head[8:12] == b"WEBP":
        return "This is an image. Upload an audio or video file."
    if start[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "This is a web page, not a recording. Download the audio or video file and upload that."
    if start.startswith(b"%PDF"):
        return "This is a PDF document. Upload an audio or video file."
    if head.startswith(b"PK\x03\x04"):
        return "This is an archive or an office document. Unpack it and upload the recording inside."
    if b"\0" not in head and all(byte >= 32 or byte in b"\t\r\n\f" for byte in head):
        return "This is a text file. Upload an audio or video file."
    return "This is not an audio or video format that can be read here."
