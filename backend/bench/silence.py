"""Wall time of a job over the bare engine where a fifth of the audio is silence.

The recording is talk with short pauses, and after every four minutes of it one of nothing. The job looks for speech and
skips the rest; the bare engine gets all of it in windows of 30 s. The model talks in phrases of two words: of longer
ones the end of a window would leave a stump that nobody can say so fast, which the gate has heard again.
Both are at work in slices of some seconds, in turns.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.asr.types import Vad
from bench.figures import Figure, at_most
from bench.lab import Lab
from bench.recordings import TURN_SECONDS, write_talk
from bench.turns import take_turns

BUDGET = 1.0


def measure(lab: Lab) -> Iterator[Figure]:
    """A window costs the same whatever is in it: skipping saves windows, and cutting in pauses costs some."""
    count, rounds = (1, 1) if lab.quick else (4, 3)
    recording = lab.folder / "talk.flac"
    write_talk(recording, count * TURN_SECONDS, silence=0.2)
    turns = take_turns(
        lab,
        recording,
        vad=Vad.AUTO,
        rounds=rounds,
        warm_up=lab.hiss(60 if lab.quick else 120),
        model=lab.short_phrases,
    )
    name = f"Job over bare engine, {count * TURN_SECONDS // 60} min, a fifth of it silence"
    yield at_most(name, turns.ratio, BUDGET, "", digits=3, detail=turns.detail)
