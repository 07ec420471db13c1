"""The first bytes: only what plays in every browser is waved through."""

from __future__ import annotations

import pytest

from app.services.media.sniff import plays_everywhere

EBML = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82"
OGG = b"OggS" + bytes(24)


def wav(tag: int) -> bytes:
    return b"RIFF\0\0\0\0WAVEJUNK\x04\0\0\0abcdfmt \x10\0\0\0" + tag.to_bytes(2, "little")


@pytest.mark.parametrize(
    ("head", "plays"),
    [
        (wav(1), True),
        (wav(3), True),
        (wav(0xFFFE), True),
        (wav(2), False),
        (wav(0x55), False),
        (b"RIFF\0\0\0\0AVI LIST", False),
        (b"RIFF\0\0\0\0WAVE", False),
        (OGG + b"OpusHead", True),
        (OGG + b"\x01vorbis", True),
        (OGG + b"Speex   ", False),
        (OGG + b"\x80theora", False),
        (EBML + b"\x84webm", True),
        (EBML + b"\x88matroska", False),
        (b"fLaC\0\0\0\x22", True),
        (b"ID3\x04\0", True),
        (b"\xff\xfb\x90\x64", True),
        (b"\xff\xf3\x40\xc4", True),
        (b"\xff\xfd\x90\x04", False),
        (b"\xff\xf1\x50\x80", False),
        (b"\xff\xff\xff\xff", False),
        (b"\0\0\0\x20ftypisom", False),
        (b"#!AMR\n", False),
        (b"FORM\0\0\0\0AIFF", False),
        (b"#EXTM3U\n", False),
        (b"<html>", False),
        (b"", False),
        (b"\xff", False),
    ],
)
def test_plays_everywhere(head: bytes, plays: bool) -> None:
    assert plays_everywhere(head) is plays
