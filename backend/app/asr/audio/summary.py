"""What decoding a whole file told, with its warnings."""

from __future__ import annotations

from pathlib import Path

from app.asr.audio.cuts import ogg_is_cut, wav_is_cut
from app.asr.audio.samples import RATE, SampleReader
from app.asr.audio.source import Source
from app.asr.types import MediaSummary, Notice

MISSING_MS = 1_000  # less than the header's claim by this and by one percent: something is missing
LOST_MS = 1_000


def summarise(
    source: Source,
    reader: SampleReader,
    *,
    path: Path,
    speech_ms: int | None,
    windows: int,
    sha256: str,
    by_channel: bool,
) -> MediaSummary:
    """The summary after the last sample has been read."""
    duration_ms = reader.samples * 1000 // RATE
    notices = []
    missing_ms = _missing_ms(source, duration_ms)
    if reader.damaged and not reader.cut and max(reader.lost_ms, missing_ms) >= LOST_MS:
        lost = max(reader.lost_ms, missing_ms) / 1000
        notices.append(
            Notice("gaps", f"Damaged parts of the file, about {lost:.0f} s in all, could not be read.")
        )
    elif reader.cut or missing_ms or _is_cut(source, path):
        notices.append(
            Notice(
                "media_truncated",
                f"The file ends early: it was read up to {_clock(duration_ms)} and the rest is missing.",
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
        channel_layout=source.channel_layout,
        speakers_by_channel=by_channel,
    )


def _missing_ms(source: Source, duration_ms: int) -> int:
    """How much less was read than the header counts; 0 within tolerance, or where it only estimates."""
    if source.hint_ms is None or not source.hint_is_exact or source.format_name == "ogg":
        return 0
    missing = source.hint_ms - duration_ms
    return missing if missing > max(MISSING_MS, source.hint_ms // 100) else 0


def _is_cut(source: Source, path: Path) -> bool:
    if source.format_name == "ogg":
        return ogg_is_cut(path)
    return source.format_name == "wav" and wav_is_cut(path)


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"
