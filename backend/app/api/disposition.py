"""The name under which a transcript is saved: the recording's own, with the format's extension."""

from __future__ import annotations

from pathlib import PurePosixPath

from app.storage.disposition import content_disposition


def transcript_name(filename: str, extension: str) -> str:
    """The file name: the recording's own without its extension."""
    stem = PurePosixPath(filename.replace("/", "_").replace("\\", "_")).stem or "transcript"
    return f"{stem}.{extension}"


def transcript_attachment(filename: str, extension: str) -> str:
    """A Content-Disposition header for any name in any script."""
    return content_disposition("attachment", transcript_name(filename, extension))
