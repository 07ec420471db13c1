"""Wall time of a job over the bare engine where half of the audio is silence.

The recording takes turns of 20 s of speech and 20 s of nothing. The job looks for speech and skips the rest; the
bare engine gets all of it in windows of 30 s.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.asr.types import Vad
from bench.figures import Figure, at_most
from bench.lab import Lab
from bench.recordings import write_speech_and_silence
from bench.turns import take_turns
from tests.fixtures import speech

BUDGET = 1.0


def measure(lab: Lab) -> Iterator[Figure]:
    """Twenty seconds of speech are one window; so there are fewer windows, not shorter ones."""
    minutes, rounds = (4, 1) if lab.quick else (8, 3)
    recording = lab.folder / "silence.flac"
    write_speech_and_silence(recording, minutes * 60, speech.FOLDER / "monologue.flac")
    turns = take_turns(lab, recording, vad=Vad.AUTO, rounds=rounds)
    name = f"Job over bare engine, {minutes} min, half of it silence"
    yield at_most(name, turns.ratio, BUDGET, "", digits=3, detail=turns.detail)
