"""Seconds for a window of 30 s: the published wheel of whisper.cpp, the build of `make native`, and faster-whisper.

Models of the true dimensions say about 100 tokens a window; all engines have the same weights (q8_0, for
faster-whisper converted to int8), one thread each, and take turns window by window, so that whatever else the
machine does meets them alike. Ratios are medians over the turns' own ratios. The floor is the arithmetic and the
memory traffic of the window at the measured peak of one core.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from app.asr.ctranslate.prepare import prepared
from app.asr.engines.registry import installed
from app.asr.types import EngineSpec
from bench import builds
from bench.chart import Bar, Bars, Chart
from bench.contender import Contender, Taken
from bench.figures import Figure, megabytes
from bench.floor import Peak
from bench.lab import Lab
from tests.fixtures import scripted_model

WHEEL, FAST, CT2 = "wheel", "make native", "faster-whisper int8"


def measure(lab: Lab) -> Iterator[Figure | Chart]:
    """Informational; an engine that is not here has a row that says so."""
    sizes: tuple[scripted_model.Size, ...] = ("tiny", "base") if lab.quick else ("tiny", "base", "small")
    rounds = 1 if lab.quick else 7
    tokens, peak = scripted_model.tokens(), Peak.measure()
    taken = {size: _turns(lab, size, rounds) for size in sizes}
    peak = peak.better(Peak.measure())
    floors = [peak.seconds(*scripted_model.DIMENSIONS[size][:2], tokens) for size in sizes]
    for size, floor in zip(sizes, floors, strict=True):
        yield from _rows(size, floor, *taken[size])
    yield Figure(
        "Peak of one core, for the floor",
        f"{peak.gflops:.0f} GFLOP/s float32, {peak.gigabytes:.0f} GB/s read",
    )
    for name in (FAST, CT2):
        if name not in taken[sizes[0]][0]:
            how = "`make native ARGS=--side` builds it" if name == FAST else "its package is not installed"
            yield Figure(f"Engine {name}", f"**not measured**: {how}")
    groups = [
        (size, [Bar(name, median(turn.wall for turn in turns)) for name, turns in taken[size][0].items()])
        for size in sizes
    ]
    yield Bars("engines", "Seconds for a window of 30 s, one thread", "s", groups, floors)


def _turns(lab: Lab, size: scripted_model.Size, rounds: int) -> tuple[dict[str, list[Taken]], dict[str, int]]:
    """Seconds of every turn, and memory at the end, by engine."""
    model = EngineSpec("whisper_cpp", size, str(lab.model(size)))
    entrants = {WHEEL: (model, builds.side("wheel"))}
    if builds.side("fast") is not None:
        entrants[FAST] = (model, builds.side("fast"))
    if installed("faster_whisper"):
        spec = EngineSpec("faster_whisper", size, model.model_path, device="cpu")
        entrants[CT2] = (asyncio.run(prepared(spec)), None)
    with ExitStack() as stack:
        contenders = {
            name: stack.enter_context(Contender(spec, side)) for name, (spec, side) in entrants.items()
        }
        if "LLAMAFILE" in contenders[WHEEL].build:
            raise RuntimeError(
                "this environment has the fast build and no wheel: run `make native ARGS=--side`"
            )
        for contender in contenders.values():
            contender.window()
        taken: dict[str, list[Taken]] = {name: [] for name in contenders}
        for turn in range(rounds):
            order = list(contenders.items())
            for name, contender in order[turn % len(order) :] + order[: turn % len(order)]:
                taken[name].append(contender.window())
        return taken, {name: contender.memory for name, contender in contenders.items()}


def _rows(size: str, floor: float, taken: dict[str, list[Taken]], memory: dict[str, int]) -> Iterator[Figure]:
    for name, turns in taken.items():
        pairs = list(zip(taken[WHEEL], turns, strict=True))
        ratio, cpu_ratio = (
            median(getattr(a, kind) / getattr(b, kind) for a, b in pairs) for kind in ("wall", "cpu")
        )
        faster = (
            "" if name == WHEEL else f": {ratio:.2f} x as fast as the wheel, by CPU time {cpu_ratio:.2f} x"
        )
        wall, cpu = sorted(turn.wall for turn in turns), median(turn.cpu for turn in turns)
        yield Figure(
            f"Window of 30 s, {size}, {name}",
            f"{median(wall):.2f} s, CPU time {cpu:.2f} s{faster} ({wall[0]:.2f} to {wall[-1]:.2f} s in {len(turns)};"
            f" floor {floor:.2f} s, {median(wall) / floor:.1f} x it; {megabytes(memory[name])} RSS)",
        )
