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
from bench.figures import Figure, duration
from bench.lab import Lab
from bench.processes import Others

NAMES = ("start", "idle", "one_hour", "overhead", "silence", "ten_hours", "latency", "shares")


def main() -> int:
    """Exit code 0 where every budget was kept, 1 where one was missed or a measurement broke."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures this product against its budgets."
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(NAMES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="shorter recordings, fewer repetitions")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md (all measurements)")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}")
    names = [name for name in NAMES if name in arguments.names] or list(NAMES)
    if arguments.write and len(names) < len(NAMES):
        parser.error("--write takes all measurements together: figures of different days do not compare")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers end with the run
    print(report.machine())
    others = Others()
    results: dict[str, list[Figure]] = {}
    texts: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="transcribe-bench-") as folder:
        lab = Lab(Path(folder), quick=arguments.quick)
        for name in names:
            module = importlib.import_module(f"bench.{name}")
            texts[name] = module.__doc__ or ""
            results[name] = _run(name, module.measure, lab)
    noise = f"Other processes took {others.share():.0%} of the machine meanwhile."
    print(f"\n{noise}")
    if arguments.write:
        report.write(results, texts, noise, quick=arguments.quick)
        print(f"written: {report.PAGE.name}")
    return int(any(figure.ok is False for figures in results.values() for figure in figures))


def _run(name: str, measure: object, lab: Lab) -> list[Figure]:
    """One measurement; a broken one is a figure that says so, and the others go on."""
    print(f"\n{name}", flush=True)
    began, others = time.monotonic(), Others()
    figures: list[Figure] = []
    try:
        for figure in measure(lab):  # type: ignore[operator]
            figures.append(figure)
            print(figure.line(), flush=True)
    except Exception as error:
        figures.append(Figure(name, f"broken: {type(error).__name__}: {str(error)[:300]}", "", False))
        print(figures[-1].line(), flush=True)
    took = duration(time.monotonic() - began)
    print(f"  took {took}; others on the machine took {others.share():.0%} of it", flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
