"""Wall time of a job over the bare engine on the same windows, both warm, in slices of some seconds in turns.

The bare side loops over the engine class in as many spawned processes as the server has engine processes, on
windows that were decoded before: no pool, no database, no decoding. The job counts from its creation to its end.
CPU time of both sides is told beside it, because it depends less on what else the machine does.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from app.asr.types import Vad
from bench.chart import Bar, Bars, Chart
from bench.figures import Figure, at_most
from bench.lab import Lab
from bench.turns import take_turns

BUDGET = 1.05


def measure(lab: Lab) -> Iterator[Figure | Chart]:
    """The median of the rounds' ratios is judged, of ten minutes and of an hour."""
    lengths = ((2, 1),) if lab.quick else ((10, 3), (60, 1))
    bars = []
    for minutes, rounds in lengths:
        warm_up = lab.hiss(60 if lab.quick else 120)
        turns = take_turns(lab, lab.hiss(minutes * 60), vad=Vad.OFF, rounds=rounds, warm_up=warm_up)
        name = f"Job over bare engine, {minutes} min, base dimensions"
        yield at_most(name, turns.ratio, BUDGET, "", digits=3, detail=turns.detail)
        yield Figure(
            f"The same in CPU time of all processes, {minutes} min",
            f"{turns.cpu_ratio:.3f} (the job decodes and stores, too)",
        )
        wall = [Bar("job", median(turns.job)), Bar("bare engine", median(turns.bare))]
        bars.append((f"{minutes} min", wall))
    yield Bars("overhead", "Wall time of a job and of the bare engine", "s", bars)
