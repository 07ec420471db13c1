"""No engine at all, for tests and the local-only mode: a text file is its own transcript, anything else is explained."""

from __future__ import annotations

import hashlib
from pathlib import Path

from app.asr.types import MediaSummary, Segment, Transcription

MAX_TEXT_BYTES = 4 << 20
_CHARACTERS_PER_SECOND = 15
_PAUSE_MS = 500
_BLOCK = 1 << 20


def stub_transcription(path: Path, filename: str) -> Transcription:
    """A transcript without listening: each paragraph of a UTF-8 `.txt` becomes a segment, at reading speed.

    Of a text that is longer than 4 MiB the first 4 MiB are taken.
    """
    text = _text_of(path) if filename.lower().endswith(".txt") else None
    if text is None:
        text = (
            f"This is a placeholder for {filename}: it was given to the stub engine, which does not listen. "
            "Run it again with a speech engine."
        )
    segments: list[Segment] = []
    clock = 0
    for paragraph in text.split("\n\n"):
        words = " ".join(paragraph.split())
        if words:
            end = clock + max(1000, len(words) * 1000 // _CHARACTERS_PER_SECOND)
            segments.append(Segment(clock, end, words))
            clock = end + _PAUSE_MS
    duration = segments[-1].end_ms if segments else 0
    summary = MediaSummary(
        duration_ms=duration,
        speech_ms=duration,
        sha256=_sha256(path),
        container="text",
        codec="none",
        sample_rate=0,
        channels=0,
        has_video=False,
        windows=1,
    )
    return Transcription(summary, None, tuple(segments))


def _text_of(path: Path) -> str | None:
    with path.open("rb") as file:
        data = file.read(MAX_TEXT_BYTES)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        cut_in_a_character = len(data) == MAX_TEXT_BYTES and error.start >= MAX_TEXT_BYTES - 4
        return data[: error.start].decode("utf-8-sig") if cut_in_a_character else None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
