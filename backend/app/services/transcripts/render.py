"""Text formats for people and players. Pure: segment views in, text out.

SubRip as players read it (numbered cues, comma before the milliseconds); WebVTT after the W3C's syntax, where `&`,
`<` and `>` have to be escaped. Written here because a subtitle library would read style tags into spoken text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

PARAGRAPH_PAUSE_MS = 2000

SegmentView = dict[str, Any]


def clock(ms: int, separator: str) -> str:
    """HH:MM:SS and milliseconds; hours grow past two digits where they must."""
    seconds, milliseconds = divmod(max(0, ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{separator}{milliseconds:03d}"


def paragraphs(segments: Sequence[SegmentView]) -> Iterable[tuple[str | None, str]]:
    """Speaker and text of each paragraph: a new one after a pause of two seconds or with another speaker."""
    current: list[str] = []
    for before, segment in pairwise([None, *segments]):
        assert segment is not None
        if before is not None and (
            segment["start_ms"] - before["end_ms"] >= PARAGRAPH_PAUSE_MS
            or segment["speaker"] != before["speaker"]
        ):
            yield before["speaker"], " ".join(current)
            current = []
        current.append(segment["text"])
    if current:
        yield segments[-1]["speaker"], " ".join(current)


def to_txt(result: dict[str, Any]) -> str:
    """Paragraphs with an empty line between; speakers by name where there are any."""
    blocks = [f"{speaker}: {text}" if speaker else text for speaker, text in paragraphs(result["segments"])]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _cue_text(segment: SegmentView) -> str:
    text = " ".join(segment["text"].split())
    return f"{segment['speaker']}: {text}" if segment["speaker"] else text


def to_srt(result: dict[str, Any]) -> str:
    cues = (
        f"{number}\n{clock(s['start_ms'], ',')} --> {clock(s['end_ms'], ',')}\n"
        f"{_cue_text(s).replace('-->', '->')}\n"
        for number, s in enumerate(result["segments"], 1)
    )
    return "\n".join(cues)


def to_vtt(result: dict[str, Any]) -> str:
    def escape(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    cues = (
        f"{clock(s['start_ms'], '.')} --> {clock(s['end_ms'], '.')}\n{escape(_cue_text(s))}\n"
        for s in result["segments"]
    )
    return "WEBVTT\n\n" + "\n".join(cues)


def to_json(result: dict[str, Any]) -> str:
    """The result itself, as `GET /api/jobs/{id}/result` answers it."""
    return json.dumps(result, ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Format:
    """A download: how it is written and announced."""

    render: Callable[[dict[str, Any]], str]
    media_type: str


FORMATS: dict[str, Format] = {
    "txt": Format(to_txt, "text/plain; charset=utf-8"),
    "srt": Format(to_srt, "application/x-subrip; charset=utf-8"),
    "vtt": Format(to_vtt, "text/vtt; charset=utf-8"),
    "json": Format(to_json, "application/json"),
}
