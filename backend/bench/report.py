"""docs/benchmarks.md: the part between the markers is written from the figures, row by row."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.figures import Figure

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: begin (make bench ARGS=--write) -->", "<!-- figures: end -->"
HEAD = "| measurement | measured | budget | verdict |\n|---|---|---|---|"


def machine() -> str:
    """What the figures depend on, without naming the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores ({_processor()}), {psutil.virtual_memory().total / 2**30:.0f} GiB of memory,"
        f" {platform.system()} on {platform.machine()}, Python {platform.python_version()}"
    )


def write(
    results: Mapping[str, Sequence[Figure]], texts: Mapping[str, str], noise: str, *, quick: bool
) -> None:
    """Puts the figures of all measurements, by module, and how each is taken, into the page.

    `noise` is a sentence on what else ran.
    """
    page = PAGE.read_text("utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(before + BEGIN + "\n" + _section(results, texts, noise, quick) + END + after, "utf-8")


def _section(
    results: Mapping[str, Sequence[Figure]], texts: Mapping[str, str], noise: str, quick: bool
) -> str:
    lines = [f"Taken on {datetime.now(UTC):%d %B %Y} at commit {_commit()}.", "", f"{machine()}. {noise}", ""]
    if quick:
        lines += ["**A quick run: shorter recordings, fewer repetitions. Not for the record.**", ""]
    lines.append(HEAD)
    for figures in results.values():
        lines += [_row(figure) for figure in figures]
    lines += ["", "### How each is taken", ""]
    lines += [f"- `{name}`: {' '.join(texts[name].split())}" for name in results]
    return "\n".join([*lines, ""])


def _row(figure: Figure) -> str:
    cells = (figure.name, figure.measured, figure.budget, figure.verdict)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


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
