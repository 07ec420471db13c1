"""Content-Disposition for names in any script (RFC 6266, RFC 5987)."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote


def attachment(filename: str, extension: str) -> str:
    """`attachment` with the recording's name and another extension: an ASCII form for old clients and the true one."""
    stem = PurePosixPath(filename.replace("/", "_").replace("\\", "_")).stem or "transcript"
    name = "".join(c for c in f"{stem}.{extension}" if c.isprintable())
    plain = "".join(c if c.isascii() and c not in '"\\%;' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
