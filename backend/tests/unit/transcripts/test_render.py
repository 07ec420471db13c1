"""Text formats, to the letter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.services.transcripts.render import clock, to_json, to_srt, to_txt, to_vtt


def segment(start: int, end: int, text: str, speaker: str | None = None) -> dict[str, Any]:
    return {"start_ms": start, "end_ms": end, "text": text, "speaker": speaker}


def result(*segments: dict[str, Any]) -> dict[str, Any]:
    return {"segments": list(segments)}


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (0, "00:00:00,000"),
        (61_001, "00:01:01,001"),
        (359_999_999, "99:59:59,999"),
        (360_000_000, "100:00:00,000"),
    ],
)
def test_clock(ms: int, expected: str) -> None:
    assert clock(ms, ",") == expected


def test_txt_begins_a_paragraph_after_a_pause_and_with_another_speaker() -> None:
    text = to_txt(
        result(
            segment(0, 1000, "One."),
            segment(1500, 2000, "Two."),
            segment(4000, 5000, "Three."),
            segment(5000, 6000, "Four.", "Ada"),
        )
    )
    assert text == "One. Two.\n\nThree.\n\nAda: Four.\n"
    assert to_txt(result()) == ""


def test_srt() -> None:
    text = to_srt(result(segment(0, 1500, "Hello\nthere --> you"), segment(1500, 2000, "Bye", "Ada")))
    assert text == (
        "1\n00:00:00,000 --> 00:00:01,500\nHello there -> you\n\n2\n00:00:01,500 --> 00:00:02,000\nAda: Bye\n"
    )


def test_vtt_escapes_markup() -> None:
    text = to_vtt(result(segment(0, 1500, "<b>a</b> & --> c")))
    assert text == "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n&lt;b&gt;a&lt;/b&gt; &amp; --&gt; c\n"


def test_json_keeps_every_script_readable() -> None:
    text = to_json(result(segment(0, 1, "Привет")))
    assert "Привет" in text
    assert json.loads(text)["segments"][0]["text"] == "Привет"
