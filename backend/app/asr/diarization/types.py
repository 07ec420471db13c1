"""The values of telling voices apart. Times are integer milliseconds on the recording's own clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Region = tuple[int, int]  # start_ms, end_ms


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's stretch. `speaker` is S1, S2, ... in the order of their first words."""

    start_ms: int
    end_ms: int
    speaker: str


@dataclass(frozen=True, slots=True)
class Embedder:
    """What turns a second of a voice into numbers. `model` is the absolute path of an ONNX file that sherpa-onnx
    reads, verified."""

    model: str


def turns_to_json(turns: Iterable[Turn]) -> list[list[Any]]:
    """Turns as [start_ms, end_ms, speaker] triples."""
    return [[turn.start_ms, turn.end_ms, turn.speaker] for turn in turns]


def turns_from_json(data: Iterable[Sequence[Any]]) -> list[Turn]:
    """The turns that `turns_to_json` wrote."""
    return [Turn(start, end, speaker) for start, end, speaker in data]
