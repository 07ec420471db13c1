"""docs/benchmarks.md: the part between the markers is written from the figures, row by row."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import psutil

from bench.chart import Chart
from bench.figures import Figure

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
PICTURES = PAGE.parent / "img" / "benchmarks"
BEGIN, END = "<!-- figures: begin (make bench ARGS=--write) -->", "<!-- figures: end -->"
HEAD = "| measurement | measured | budget | verdict | taken |\n|---|---|---|---|---|"


def machine() -> str:
    """What the figures depend on, without naming the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores ({_processor()}), {psutil.virtual_memory().total / 2**30:.0f} GiB of memory,"
        f" {platform.system()} on {platform.machine()}, Python {platform.python_version()}"
    )


@cache
def pace() -> float:
    """Million turns a second of an empty Python loop: one processor's name stands for very different days of it."""
    turns = 1_000_000
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(turns):
            pass
        seconds.append(time.perf_counter() - began)
    return turns / min(seconds) / 1e6


def write(
    results: Mapping[str, Sequence[Figure]],
    charts: Mapping[str, Sequence[Chart]],
    noise: Mapping[str, float],
    texts: Mapping[str, str],
    *,
    order: Sequence[str],
    quick: bool,
) -> None:
    """Puts the figures of these measurements, by module, into the page; rows of others stay as they were taken.

    `noise` is the share of the machine that other processes took during each, `texts` how each of `order` is taken.
    """
    page = PAGE.read_text("utf-8")
    before, rest = page.split(BEGIN)
    section, after = rest.split(END)
    rows = {name: [line for line in section.splitlines() if line.startswith(_mark(name))] for name in order}
    for name, figures in results.items():
        rows[name] = [_row(name, figure, noise[name], quick) for figure in figures]
    drawn = {name: [line for line in section.splitlines() if line.endswith(_drawing(name))] for name in order}
    for name, new in charts.items():
        if new:
            drawn[name] = [_draw(name, chart) for chart in new]
    lines = [f"{machine()}.", "", HEAD, *(row for name in order for row in rows[name])]
    pictures = [line for name in order for line in drawn[name]]
    lines += ["", "### Drawn", "", *(part for line in pictures for part in (line, ""))] if pictures else [""]
    lines += ["### How each is taken", ""]
    lines += [f"- `{name}`: {' '.join(texts[name].split())}" for name in order]
    PAGE.write_text(before + BEGIN + "\n" + "\n".join([*lines, ""]) + END + after, "utf-8")


def _drawing(name: str) -> str:
    return f"<!-- drawn by {name} -->"


def _draw(name: str, chart: Chart) -> str:
    """Writes the picture and answers the line that shows it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{chart.slug}.svg").write_text(chart.svg(), "utf-8")
    return f"![{chart.title}]({PICTURES.relative_to(PAGE.parent)}/{chart.slug}.svg) {_drawing(name)}"


def _mark(name: str) -> str:
    return f"| <!-- {name} --> "


def _row(name: str, figure: Figure, noise: float, quick: bool) -> str:
    taken = (
        f"{datetime.now(UTC):%Y-%m-%d} at {_commit()}, others took {noise:.0%}, pace {pace():.0f}"
        f"{', quick' if quick else ''}"
    )
    cells = (figure.name, figure.measured, figure.budget, figure.verdict, taken)
    return _mark(name) + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(PAGE.parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", "../backend/app")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with local changes" if changed else "")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found.group(1)
    return platform.processor() or "unknown processor"
