"""Text formats for people and players. Pure: segment views in, text out.

SubRip as players read it (numbered cues, comma before the milliseconds); WebVTT after the W3C's syntax, where `&`,
`<` and `>` have to be escaped. Written here because a subtitle library would read style tags into spoken text.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

PARAGRAPH_PAUSE_MS = 2000
NO_TEXT = "speech without text"

SegmentView = dict[str, Any]
Gap = dict[str, int]


def clock(ms: int, separator: str) -> str:
    """HH:MM:SS and milliseconds; hours grow past two digits where they must."""
    seconds, milliseconds = divmod(max(0, ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{separator}{milliseconds:03d}"


def _names(result: dict[str, Any]) -> dict[Any, str]:
    """What to call each speaker, by id."""
    return {speaker["id"]: speaker["name"] for speaker in result.get("speakers", ())}


def _with_gaps(result: dict[str, Any]) -> Iterator[tuple[SegmentView | None, Gap | None]]:
    """Segments and gaps in the order of time; a gap stands before what is heard after it began."""
    gaps = deque(result.get("gaps", ()))
    for segment in result["segments"]:
        while gaps and gaps[0]["start_ms"] <= segment["start_ms"]:
            yield None, gaps.popleft()
        yield segment, None
    for gap in gaps:
        yield None, gap


def to_txt(result: dict[str, Any]) -> str:
    """Paragraphs with an empty line between: a new one after a pause of two seconds or with another speaker, who is
    named. Speech without text has a paragraph of its own, in brackets."""
    names, blocks, current = _names(result), list[str](), list[SegmentView]()

    def end_paragraph() -> None:
        if current:
            text = " ".join(segment["text"] for segment in current)
            speaker = current[0]["speaker"]
            blocks.append(f"{names.get(speaker, str(speaker))}: {text}" if speaker else text)
            current.clear()

    for segment, gap in _with_gaps(result):
        if gap is not None:
            end_paragraph()
            start, end = (clock(gap[key], ".")[:-4] for key in ("start_ms", "end_ms"))
            blocks.append(f"[{start} - {end}: {NO_TEXT}]")
        if segment is not None:
            if current and (
                segment["start_ms"] - current[-1]["end_ms"] >= PARAGRAPH_PAUSE_MS
                or segment["speaker"] != current[-1]["speaker"]
            ):
                end_paragraph()
            current.append(segment)
    end_paragraph()
    return "\n\n".join(blocks) + "\n" if blocks else ""


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ARROW = re.compile(r"-{2,}>")


def _one_line(text: str) -> str:
    """Without breaks, and without what terminals and strict readers choke on."""
    return _CONTROL.sub("", " ".join(text.split()))


def to_srt(result: dict[str, Any]) -> str:
    """SubRip has no place for notes, so gaps are not in it; speakers stand before their words."""
    names = _names(result)

    def text(segment: SegmentView) -> str:
        speaker = segment["speaker"]
        said = f"{names.get(speaker, str(speaker))}: {segment['text']}" if speaker else segment["text"]
        return _ARROW.sub("->", _one_line(said))

    cues = (
        f"{number}\n{clock(s['start_ms'], ',')} --> {clock(s['end_ms'], ',')}\n{text(s)}\n"
        for number, s in enumerate(result["segments"], 1)
    )
    return "\n".join(cues)


def to_vtt(result: dict[str, Any]) -> str:
    """Speakers as voice tags (their end may be left out where the whole cue is theirs), gaps as notes, which players
    do not show."""
    names = _names(result)

    def escape(text: str) -> str:
        return _one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def cue(segment: SegmentView) -> str:
        speaker = segment["speaker"]
        voice = f"<v {escape(names.get(speaker, str(speaker)))}>" if speaker else ""
        times = f"{clock(segment['start_ms'], '.')} --> {clock(segment['end_ms'], '.')}"
        return f"{times}\n{voice}{escape(segment['text'])}\n"

    def note(gap: Gap) -> str:
        return f"NOTE {clock(gap['start_ms'], '.')} - {clock(gap['end_ms'], '.')}: {NO_TEXT}\n"

    blocks = (
        cue(segment) if segment is not None else note(gap)  # type: ignore[arg-type]
        for segment, gap in _with_gaps(result)
    )
    return "WEBVTT\n\n" + "\n".join(blocks)


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
