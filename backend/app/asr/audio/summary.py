"""What decoding a whole file told, with its warnings."""

from __future__ import annotations

from pathlib import Path

from app.asr.audio.ogg import ends_inside_a_page
from app.asr.audio.samples import RATE, SampleReader
from app.asr.audio.source import Source
from app.asr.types import MediaSummary, Notice

MISSING_MS = 1_000  # less than the header's claim by this and by one percent: something is missing
LOST_MS = 1_000


def summarise(
    source: Source, reader: SampleReader, *, path: Path, speech_ms: int, windows: int, sha256: str
) -> MediaSummary:
    """The summary after the last sample has been read."""
    duration_ms = reader.samples * 1000 // RATE
    notices = []
    if _is_truncated(source, reader, duration_ms, path):
        notices.append(
            Notice(
                "media_truncated",
                f"The file ends early: it was read up to {_clock(duration_ms)} and the rest is missing.",
            )
        )
    elif reader.lost_ms >= LOST_MS:
        notices.append(
            Notice(
                "gaps",
                f"Damaged parts of the file, {reader.lost_ms / 1000:.0f} s in all, could not be read; their place"
                " in time was kept.",
            )
        )
    if windows == 0:
        notices.append(Notice("no_speech", "No speech was found in this recording."))
    return MediaSummary(
        duration_ms=duration_ms,
        speech_ms=speech_ms,
        sha256=sha256,
        container=source.format_name,
        codec=source.codec,
        sample_rate=source.sample_rate,
        channels=source.channels,
        has_video=source.has_video,
        windows=windows,
        notices=tuple(notices),
    )


def _is_truncated(source: Source, reader: SampleReader, duration_ms: int, path: Path) -> bool:
    if reader.cut:
        return True
    if source.format_name == "ogg":
        return ends_inside_a_page(path)
    if source.hint_ms is None or not source.hint_is_exact:
        return False
    return source.hint_ms - duration_ms > max(MISSING_MS, source.hint_ms // 100)


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"
