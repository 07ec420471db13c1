"""What a measurement says: a figure, the budget it is held against, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of docs/benchmarks.md. `ok` is None for figures that only inform."""

    name: str
    measured: str
    budget: str = ""
    ok: bool | None = None

    @property
    def verdict(self) -> str:
        """The last column: kept, missed, or nothing."""
        return "" if self.ok is None else "kept" if self.ok else "**missed**"

    def line(self) -> str:
        """The figure on a terminal."""
        against = f"  (budget {self.budget}: {self.verdict.strip('*')})" if self.budget else ""
        return f"  {self.name}: {self.measured}{against}"


def at_most(
    name: str, value: float, budget: float, unit: str, *, digits: int = 2, detail: str = ""
) -> Figure:
    """A figure that must not be larger than its budget. `detail` follows it in brackets."""
    gap = " " if unit else ""
    measured = f"{value:,.{digits}f}{gap}{unit}" + (f" ({detail})" if detail else "")
    return Figure(name, measured, f"≤ {budget:g}{gap}{unit}", value <= budget)


def megabytes(size: float) -> str:
    """Bytes as whole megabytes (10^6)."""
    return f"{size / 1e6:,.0f} MB"


def duration(seconds: float) -> str:
    """Seconds as people say them: "42.1 s", "5 min 3 s", "1 h 02 min"."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest} s"
