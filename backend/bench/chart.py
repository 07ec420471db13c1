"""Small charts as SVG, readable on light and dark pages: what docs/benchmarks.md shows beside its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, LEFT, RIGHT = 720, 200, 90
ROW, GAP, HEAD, FOOT = 18, 12, 44, 26
# Colours that hold against white and against near black.
COLOURS = ("#4f7cc4", "#3a9a6e", "#c9802c", "#a35cb0", "#7d8590", "#c4525a")
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-size:14px;font-weight:600}.m{fill:#57606a}"
    "line,.axis{stroke:#8c959f}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.m{fill:#9da7b1}line,.axis{stroke:#6e7681}}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One value; `note` follows it."""

    name: str
    value: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Groups of bars from the left; `floors` draws a mark in each group at what physics allows."""

    slug: str
    title: str
    unit: str
    groups: Sequence[tuple[str, Sequence[Bar]]]
    floors: Sequence[float] = ()

    def svg(self) -> str:
        """The document."""
        names = list(dict.fromkeys(bar.name for _, bars in self.groups for bar in bars))
        largest = max([*(bar.value for _, bars in self.groups for bar in bars), *self.floors, 1e-9])
        scale = (WIDTH - LEFT - RIGHT) / largest
        y, parts = HEAD, []
        for at, (group, bars) in enumerate(self.groups):
            top = y
            for bar in bars:
                colour = COLOURS[names.index(bar.name) % len(COLOURS)]
                width = max(1.0, bar.value * scale)
                label = bar.name if group == "" else f"{group}, {bar.name}"
                parts.append(_text(LEFT - 8, y + 13, label, anchor="end"))
                parts.append(
                    f'<rect x="{LEFT}" y="{y + 2}" width="{width:.1f}" height="{ROW - 4}" rx="2" fill="{colour}"/>'
                )
                value = f"{bar.value:.3g} {self.unit}" + (f" ({bar.note})" if bar.note else "")
                parts.append(_text(LEFT + width + 6, y + 13, value))
                y += ROW
            if at < len(self.floors):
                x = LEFT + self.floors[at] * scale
                parts.append(
                    f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 2}" y2="{y + 2}" stroke-width="2"/>'
                )
            y += GAP
        if self.floors:
            parts.append(
                _text(LEFT, y + 8, "| the floor: arithmetic and memory of one core at their peak", kind="m")
            )
        return _document(self.title, y + FOOT, parts)


@dataclass(frozen=True, slots=True)
class Line:
    """A curve of (x, y)."""

    name: str
    points: Sequence[tuple[float, float]] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Lines:
    """Curves over one axis; `limit` draws a dashed line at a budget."""

    slug: str
    title: str
    x_unit: str
    y_unit: str
    lines: Sequence[Line]
    limit: float | None = None

    def svg(self) -> str:
        """The document."""
        height, left, right = 260, 70, 20
        xs = [x for line in self.lines for x, _ in line.points]
        ys = [y for line in self.lines for _, y in line.points] + ([self.limit] if self.limit else [])
        x_most, y_most = max([*xs, 1e-9]), max([*ys, 1e-9]) * 1.08

        def place(x: float, y: float) -> tuple[float, float]:
            return (
                left + x / x_most * (WIDTH - left - right),
                height - (y / y_most) * (height - HEAD),
            )

        parts = []
        for step in range(5):
            value = y_most * step / 4
            _, y = place(0, value)
            parts.append(f'<line x1="{left}" x2="{WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}" opacity=".3"/>')
            parts.append(_text(left - 6, y + 4, f"{value:.0f}", anchor="end"))
        for step in range(6):
            x, _ = place(x_most * step / 5, 0)
            parts.append(_text(x, height + 16, f"{x_most * step / 5:.3g}", anchor="middle"))
        parts.append(_text(WIDTH - right, height + 34, self.x_unit, anchor="end", kind="m"))
        parts.append(_text(left, HEAD - 6, self.y_unit, kind="m"))
        if self.limit is not None:
            _, y = place(0, self.limit)
            parts.append(
                f'<line x1="{left}" x2="{WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}" stroke-dasharray="5 4"/>'
            )
            parts.append(_text(WIDTH - right, y - 5, "budget", anchor="end", kind="m"))
        for at, line in enumerate(self.lines):
            colour = COLOURS[at % len(COLOURS)]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line.points))
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
            parts.append(
                f'<rect x="{left + at * 150}" y="{height + 26}" width="10" height="10" fill="{colour}"/>'
            )
            parts.append(_text(left + at * 150 + 15, height + 35, line.name))
        return _document(self.title, height + 46, parts)


Chart = Bars | Lines


def _text(x: float, y: float, text: str, *, anchor: str = "start", kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{mark}>{escape(text)}</text>'


def _document(title: str, height: float, parts: Sequence[str]) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}</title>'
    return "\n".join([f"{head}<style>{STYLE}</style>", _text(12, 22, title, kind="t"), *parts, "</svg>", ""])
