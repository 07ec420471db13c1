"""A look at the first bytes: does every browser play this as it is?

Only what the first page of a file can prove counts. MP4 may hold anything, so its child process looks closer.
"""

from __future__ import annotations

HEAD_BYTES = 4096

_PLAYABLE_WAV = {1, 3, 6, 7, 0xFFFE}  # PCM, float, A-law, mu-law, extensible
_PLAYABLE_OGG = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC")


def plays_everywhere(head: bytes) -> bool:
    """True for MP3, FLAC, WebM, and for WAV and Ogg with codecs that browsers have."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        place = head.find(b"fmt ")
        return place >= 0 and int.from_bytes(head[place + 8 : place + 10], "little") in _PLAYABLE_WAV
    if head[:4] == b"OggS":
        return head[28:].startswith(_PLAYABLE_OGG)
    if head[:4] == b"\x1aE\xdf\xa3":
        return b"webm" in head[:64]
    return head[:4] == b"fLaC" or head[:3] == b"ID3" or _is_mp3_frame(head)


def _is_mp3_frame(head: bytes) -> bool:
    """Frame sync with layer III and no reserved value (ISO 11172-3, 2.4.2.3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    return head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3 and head[1] >> 3 & 3 != 1
