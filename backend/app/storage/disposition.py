"""How a browser is told to treat a recording: a fixed type and a name that no header can be broken with."""

from __future__ import annotations

import re
from urllib.parse import quote

OCTET_STREAM = "application/octet-stream"

# Types that browsers play and never execute. Everything else is saved, not shown.
INLINE_TYPES = frozenset(
    {
        "audio/aac", "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav", "audio/webm",
        "audio/aiff", "audio/amr", "audio/x-caf", "audio/x-matroska", "audio/x-ms-wma",
        "video/mp4", "video/ogg", "video/quicktime", "video/webm",
        "video/3gpp", "video/mp2t", "video/mpeg", "video/x-flv", "video/x-matroska", "video/x-ms-wmv", "video/x-msvideo",
    }
)  # fmt: skip


# Texts of ours: saved under their own type, never shown.
SAVED_TYPES = frozenset({"application/json", "text/plain; charset=utf-8"})


def content_disposition(kind: str, filename: str) -> str:
    """RFC 6266 with both forms of the name: plain ASCII for old clients, RFC 5987 for every script."""
    plain = (
        re.sub(r"[^A-Za-z0-9 ._()+,=@~-]", "_", filename.encode("ascii", "replace").decode()).strip()
        or "file"
    )
    encoded = quote(filename.encode("utf-8", "replace"), safe="")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def served_as(content_type: str, filename: str, *, download: bool) -> tuple[str, str]:
    """Content-Type and Content-Disposition of a read."""
    if content_type in SAVED_TYPES:
        return content_type, content_disposition("attachment", filename)
    if content_type not in INLINE_TYPES:
        return OCTET_STREAM, content_disposition("attachment", filename)
    return content_type, content_disposition("attachment" if download else "inline", filename)
