"""Speakers of a text: what segments call them, what to show, and the names that people gave them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.asr.diarization import Turn, assign
from app.asr.merge import CHANNEL_SPEAKERS
from app.services.transcripts.codec import pack_segment, unpack_segment

SpeakerView = dict[str, str]


def speaker_list(speakers: Iterable[str | None], names: Mapping[str, str]) -> list[SpeakerView]:
    """`{id, label, name}` of each speaker in the order of their first words; `names` are those given by people.

    A channel is called by its side, everybody else by a number.
    """
    views: list[SpeakerView] = []
    numbered = 0
    for speaker in dict.fromkeys(s for s in speakers if s):
        if speaker in CHANNEL_SPEAKERS:
            label = speaker.capitalize()
        else:
            numbered += 1
            label = f"Speaker {numbered}"
        views.append({"id": speaker, "label": label, "name": names.get(speaker) or label})
    return views


def with_turns(turns: Sequence[Turn], segments: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Packed segments with the speakers of these turns, divided where the speaker changes."""
    if not turns:
        return list(segments)
    return [pack_segment(segment) for segment in assign(turns, map(unpack_segment, segments))]
