"""File names as people see them, and what they say about a file. Never part of a path or a key."""

from __future__ import annotations

import re
import unicodedata

from app.core.text import without_direction
from app.storage.disposition import OCTET_STREAM

MAX_BYTES = 255
DEFAULT_NAME = "recording"

_TYPES = {
    "aac": "audio/aac",
    "aif": "audio/aiff",
    "aifc": "audio/aiff",
    "aiff": "audio/aiff",
    "amr": "audio/amr",
    "caf": "audio/x-caf",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "m4b": "audio/mp4",
    "mka": "audio/x-matroska",
    "mp3": "audio/mpeg",
    "mpga": "audio/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "wma": "audio/x-ms-wma",
    "3gp": "video/3gpp",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "m2ts": "video/mp2t",
    "m4v": "video/mp4",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "mts": "video/mp2t",
    "ogv": "video/ogg",
    "webm": "video/webm",
    "wmv": "video/x-ms-wmv",
    "txt": "text/plain",
}
_ALIASES = {
    "audio/mp3": "audio/mpeg",
    "audio/opus": "audio/ogg",
    "audio/vnd.wave": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-aiff": "audio/aiff",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "video/x-m4v": "video/mp4",
}
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


def clean_name(name: str) -> str:
    """A name to show: no path, no control or direction characters, at most 255 bytes of UTF-8, any script."""
    name = name.encode("utf-8", "replace").decode("utf-8")
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(c for c in without_direction(name) if unicodedata.category(c) not in ("Cc", "Cs"))
    name = _cut(unicodedata.normalize("NFC", name).strip())
    return name if name.strip(". ") else DEFAULT_NAME


def _cut(name: str) -> str:
    """Shortened before the extension, at the end of a character."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > 16:
        stem, dot, extension = name, "", ""
    room = MAX_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip() + dot + extension


def content_type(declared: str | None, filename: str) -> str:
    """The client's word where it is a type of audio or video, else what the name's extension says."""
    given = (declared or "").split(";")[0].strip().lower()
    given = _ALIASES.get(given, given)
    if _TYPE.fullmatch(given) and given.startswith(("audio/", "video/")):
        return given
    return _TYPES.get(filename.rpartition(".")[2].lower(), OCTET_STREAM)


def human_size(size: int) -> str:
    """Bytes for a person: 5 GiB, 1.5 MiB, 12 bytes."""
    value, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"
