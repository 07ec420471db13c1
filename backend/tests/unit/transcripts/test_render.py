"""Text formats, to the letter."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


SPOKEN = {
    "segments": [
        segment(0, 1000, "One.", "S2"),
        segment(1000, 2000, "Two.", "S2"),
        segment(9000, 9500, "Three.", "S1"),
    ],
    "speakers": [
        {"id": "S2", "label": "Speaker 1", "name": "A <b> & -->\nC"},
        {"id": "S1", "label": "Speaker 2", "name": "Speaker 2"},
    ],
    "gaps": [{"start_ms": 2500, "end_ms": 8_500}, {"start_ms": 3_610_000, "end_ms": 3_620_000}],
}


def test_names_and_gaps_in_plain_text() -> None:
    assert to_txt(SPOKEN) == (
        "A <b> & -->\nC: One. Two.\n\n[00:00:02 - 00:00:08: speech without text]\n\nSpeaker 2: Three.\n\n"
        "[01:00:10 - 01:00:20: speech without text]\n"
    )
    assert (
        to_txt({"segments": [], "gaps": SPOKEN["gaps"][:1]}) == "[00:00:02 - 00:00:08: speech without text]\n"
    )


def test_names_in_subrip_and_no_gaps() -> None:
    text = to_srt(SPOKEN)
    assert "A <b> & -> C: One.\n" in text
    assert "Speaker 2: Three.\n" in text
    assert "without text" not in text
    assert text.count("-->") == 3


def test_voices_and_notes_in_webvtt() -> None:
    assert to_vtt(SPOKEN) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.000\n<v A &lt;b&gt; &amp; --&gt; C>One.\n\n"
        "00:00:01.000 --> 00:00:02.000\n<v A &lt;b&gt; &amp; --&gt; C>Two.\n\n"
        "NOTE 00:00:02.500 - 00:00:08.500: speech without text\n\n"
        "00:00:09.000 --> 00:00:09.500\n<v Speaker 2>Three.\n\n"
        "NOTE 01:00:10.000 - 01:00:20.000: speech without text\n"
    )


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "00:00:01.000 --> 00:00:02.000",
            "--->",
            "----> x",
            "<script>alert(1)</script>",
            "WEBVTT",
            "NOTE x",
            "STYLE",
            "1",
            "a\n\n2\n00:00:01,000 --> 00:00:02,000\nforged",
            "a\u2028b\x85c\x0bd\x1b[2J",
            "&lt;i&gt; <v Eve>",
        ]
    ),
)


@given(st.lists(st.tuples(HOSTILE, HOSTILE), max_size=8))
def test_row_42_no_word_becomes_structure(said: list[tuple[str, str]]) -> None:
    """Whatever is said, and by whoever: as many cues as segments, each with its own time and words, no tag but ours."""
    segments = [
        segment(number * 1000, number * 1000 + 900, text, f"s{number}")
        for number, (text, _) in enumerate(said)
    ]
    speakers = [{"id": f"s{number}", "name": name} for number, (_, name) in enumerate(said)]
    result = {"segments": segments, "speakers": speakers, "gaps": []}

    srt, vtt = to_srt(result), to_vtt(result)

    times = [re.findall(r"^\d\d:\d\d:\d\d[,.]\d{3} --> .*$", form, flags=re.MULTILINE) for form in (srt, vtt)]
    assert [len(found) for found in times] == [len(said)] * 2
    assert srt.count("-->") == vtt.count("-->") == len(said)
    for number, cue in enumerate(srt.split("\n\n") if said else [], 1):
        lines = cue.rstrip("\n").split("\n")
        assert lines[0] == str(number)
        assert len(lines) == 3
    cues = vtt.removeprefix("WEBVTT\n\n").split("\n\n") if said else []
    assert [len(cue.rstrip("\n").split("\n")) for cue in cues] == [2] * len(said)
    for cue, (text, name) in zip(cues, said, strict=True):
        tag, _, words = cue.rstrip("\n").split("\n")[1].partition(">")
        assert tag.startswith("<v ")
        assert not {"<", ">"} & set(tag[1:] + words)
        assert html.unescape(tag[3:]) == _shown(name)
        assert html.unescape(words) == _shown(text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", srt + vtt)


def _shown(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "", " ".join(text.split()))
