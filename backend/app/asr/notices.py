"""The warnings that a finished transcript carries, the same for the server and the command line."""

from __future__ import annotations

from collections.abc import Sequence

from app.asr.types import Mode, Notice


def final_notices(
    found: Sequence[Notice],
    *,
    segments: int,
    failed_windows: int,
    mode: Mode,
    low_accuracy: bool,
    speakers: bool,
) -> tuple[Notice, ...]:
    """What decoding `found`, and what the outcome adds. `speakers` says whether any segment names one."""
    codes = {notice.code for notice in found}
    notices = list(found)
    if not segments and not failed_windows and "no_speech" not in codes:
        notices.append(Notice("no_speech", "No words were heard in this recording."))
    if failed_windows:
        parts = "One part" if failed_windows == 1 else f"{failed_windows} parts"
        notices.append(
            Notice("gaps", f"{parts} of the recording could not be transcribed and is missing from the text.")
        )
    if mode is Mode.DIALOGUE and segments and not speakers:
        notices.append(
            Notice("no_speakers", "The text is whole, but this engine does not tell speakers apart.")
        )
    if low_accuracy:
        notices.append(
            Notice(
                "low_accuracy",
                "This is a draft by a small offline engine that makes many errors. For a text that can be trusted, get "
                "a Whisper model with `transcribe models download` and run this again.",
            )
        )
    return tuple(notices)
