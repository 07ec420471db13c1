"""Conversations in one channel through the child process, with the stand-in for the neural embedder."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from app.asr.diarization import Embedder, diarize
from app.asr.diarization.types import SPECTRAL
from tests.fixtures import dialogue, speech

STAND_IN = Embedder(SPECTRAL)


@pytest.mark.parametrize(
    ("file", "speakers"),
    [
        (dialogue.ONE, 1),
        (dialogue.TWO, 2),
        (dialogue.FOUR, 4),
        (speech.DIALOGUE, 2),
        (speech.MONOLOGUE, 1),
    ],
    ids=["one", "two", "four", "stereo as one channel", "monologue"],
)
async def test_finds_how_many_and_who(file: Path, speakers: int) -> None:
    turns = await diarize(file, None, embedder=STAND_IN, nice=0)
    assert len({turn.speaker for turn in turns}) == speakers
    assert dialogue.error_rate(dialogue.truth(file), turns).total <= 0.02
    assert dialogue.error_rate(dialogue.truth(file), turns, collar_ms=0).total <= 0.12
    assert turns[0].speaker == "S1"
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(turns))
