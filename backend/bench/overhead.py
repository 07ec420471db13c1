"""Wall time of a job over the bare engine on the same windows, both warm, in turns.

The bare side loops over the engine class in as many spawned processes as the server has engine processes, on
windows that were decoded before: no pool, no database, no decoding. The job counts from its creation to its end.
CPU time of both sides is told beside it, because it depends less on what else the machine does.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.asr.types import Vad
from bench.figures import Figure, at_most
from bench.lab import Lab
from bench.turns import take_turns

BUDGET = 1.05


def measure(lab: Lab) -> Iterator[Figure]:
    """The ratio of the medians is judged."""
    minutes, rounds = (5, 2) if lab.quick else (10, 3)
    turns = take_turns(lab, lab.hiss(minutes * 60), vad=Vad.OFF, rounds=rounds)
    name = f"Job over bare engine, {minutes} min, base dimensions"
    yield at_most(name, turns.ratio, BUDGET, "", digits=3, detail=turns.detail)
    yield Figure(
        "The same in CPU time of all processes", f"{turns.cpu_ratio:.3f} (the job decodes and stores, too)"
    )
