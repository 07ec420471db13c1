"""Speakers in the order of their first words, and turns laid over checkpoints."""

from __future__ import annotations

from app.asr.diarization import Turn
from app.asr.types import Segment, Word
from app.services.transcripts.codec import pack_segment
from app.services.transcripts.speakers import speaker_list, with_turns


def test_speakers_are_numbered_as_they_come_and_channels_are_sides() -> None:
    assert speaker_list(["S2", None, "S1", "S2"], {"S1": "Ada"}) == [
        {"id": "S2", "label": "Speaker 1", "name": "Speaker 1"},
        {"id": "S1", "label": "Speaker 2", "name": "Ada"},
    ]
    assert speaker_list(["right", "left"], {}) == [
        {"id": "right", "label": "Right", "name": "Right"},
        {"id": "left", "label": "Left", "name": "Left"},
    ]
    assert speaker_list([None], {"S1": "Ada"}) == []


def test_a_segment_is_divided_where_the_speaker_changes() -> None:
    words = tuple(
        Word(text, n * 1000, n * 1000 + 900, 0.9) for n, text in enumerate(["Are", "you", "there?", "Yes."])
    )
    packed = [pack_segment(Segment(0, 3900, "Are you there? Yes.", words, 0.9))]
    turns = [Turn(0, 2950, "S1"), Turn(2950, 4000, "S2")]
    assert [(s["text"], s["speaker"]) for s in with_turns(turns, packed)] == [
        ("Are you there?", "S1"),
        ("Yes.", "S2"),
    ]
    assert with_turns([], packed) == packed
