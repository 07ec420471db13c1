"""Runs the measurements: `python -m bench [names...] [--quick] [--write]`, in backend/."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import tempfile
import time
from pathlib import Path

from bench import report
from bench.chart import Chart
from bench.figures import Figure, duration
from bench.lab import Lab
from bench.processes import Others

NAMES = (
    "start",
    "pending",
    "cancel",
    "idle",
    "engines",
    "one_hour",
    "overhead",
    "silence",
    "three_jobs",
    "ten_hours",
    "latency",
    "shares",
    "watchers",
    "speakers",
    "vad",
)


def main() -> int:
    """Exit code 0 where every budget was kept, 1 where one was missed or a measurement broke."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures this product against its budgets."
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(NAMES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="shorter recordings, fewer repetitions")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/benchmarks.md")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}")
    names = [name for name in NAMES if name in arguments.names] or list(NAMES)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers end with the run
    print(report.machine())
    results: dict[str, list[Figure]] = {}
    charts: dict[str, list[Chart]] = {}
    noise: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="transcribe-bench-") as folder:
        lab = Lab(Path(folder), quick=arguments.quick)
        for name in names:
            measure = importlib.import_module(f"bench.{name}").measure
            results[name], charts[name], noise[name] = _run(name, measure, lab)
    if arguments.write:
        texts = {name: importlib.import_module(f"bench.{name}").__doc__ or "" for name in NAMES}
        report.write(results, charts, noise, texts, order=NAMES, quick=arguments.quick)
        print(f"\nwritten: {report.PAGE.name}")
    return int(any(figure.ok is False for figures in results.values() for figure in figures))


def _run(name: str, measure: object, lab: Lab) -> tuple[list[Figure], list[Chart], float]:
    """One measurement, its charts, and the share of the machine that others took meanwhile.

    A broken one is a figure that says so, and the others go on.
    """
    print(f"\n{name}", flush=True)
    began, others = time.monotonic(), Others()
    figures: list[Figure] = []
    charts: list[Chart] = []
    try:
        for figure in measure(lab):  # type: ignore[operator]
            if not isinstance(figure, Figure):
                charts.append(figure)
                continue
            figures.append(figure)
            print(figure.line(), flush=True)
    except Exception as error:
        figures.append(Figure(name, f"broken: {type(error).__name__}: {str(error)[:300]}", "", False))
        print(figures[-1].line(), flush=True)
    took = duration(time.monotonic() - began)
    noise = others.share()
    print(f"  took {took}; others on the machine took {noise:.0%} of it", flush=True)
    return figures, charts, noise


if __name__ == "__main__":
    sys.exit(main())
