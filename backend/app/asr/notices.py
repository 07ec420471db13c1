"""The warnings that a finished transcript carries, the same for the server and the command line."""

from __future__ import annotations

from collections.abc import Sequence

from app.asr.coverage import Region, join_gaps, total
from app.asr.types import Mode, Notice


def final_notices(
    found: Sequence[Notice],
    *,
    segments: int,
    mode: Mode,
    low_accuracy: bool,
    speakers: bool,
    gaps: Sequence[Region] = (),
    doubtful: int = 0,
    speaker_reason: str | None = None,
) -> tuple[Notice, ...]:
    """What decoding `found`, and what the outcome adds. `speakers` says whether any segment names one,
    `speaker_reason` in a sentence why none does, `doubtful` how many segments carry a flag (`coverage.is_doubtful`),
    `gaps` those of all windows."""
    codes = {notice.code for notice in found}
    notices = list(found)
    if not segments and not gaps and "no_speech" not in codes:
        notices.append(Notice("no_speech", "No words were heard in this recording."))
    if (missing := gaps_notice(gaps)) is not None:
        notices.append(missing)
    if (unsure := doubtful_notice(doubtful)) is not None:
        notices.append(unsure)
    if mode is Mode.DIALOGUE and segments and not speakers:
        notices.append(
            Notice(
                "no_speakers",
                f"The text is whole, but its speakers are not told apart. {speaker_reason}"
                if speaker_reason
                else "The text is whole, but this engine does not tell speakers apart.",
            )
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


def gaps_notice(gaps: Sequence[Region]) -> Notice | None:
    """How many stretches of speech have no text, how long they are and what to do; None without any."""
    joined = join_gaps(gaps)
    if not joined:
        return None
    seconds = max(1, round(total(joined) / 1000))
    length = "1 second" if seconds == 1 else f"{seconds} seconds"
    first = _clock(joined[0][0])
    where = (
        f"One stretch of {length} at {first} has"
        if len(joined) == 1
        else (f"{len(joined)} stretches of {length} in all, the first at {first}, have")
    )
    return Notice(
        "gaps",
        f"{where} speech without text. Listen there, and run the recording again with another model or engine if the "
        "words matter.",
    )


def doubtful_notice(segments: int) -> Notice | None:
    """How many segments are flagged; None without any."""
    if not segments:
        return None
    passages = (
        "One passage is doubtful and is" if segments == 1 else f"{segments} passages are doubtful and are"
    )
    return Notice(
        "doubtful", f"{passages} marked with the reason. Listen there before you rely on the words."
    )


def _clock(ms: int) -> str:
    """A moment as people write it: 1:05, 2:01:05."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
