"""What the measurements compute and draw, without measuring."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import report
from bench.chart import Bar, Bars, Line, Lines
from bench.figures import Figure
from bench.floor import Peak, encoder_gflop, token_bytes
from bench.memory import Sample, spread
from tests.fixtures import scripted_model

SVG = "{http://www.w3.org/2000/svg}"


def test_the_floor_of_base() -> None:
    """96.8 GFLOP and 52 MB a token, as counted by hand from the architecture."""
    assert encoder_gflop(512, 6) == pytest.approx(96.8, abs=0.1)
    assert token_bytes(512, 6) / 1e6 == pytest.approx(51.6, abs=0.1)
    assert Peak(100, 50).seconds(512, 6, 100) == pytest.approx(0.968 + 0.103, abs=0.01)
    assert Peak(100, 50).better(Peak(90, 60)) == Peak(100, 60)
    assert 100 <= scripted_model.tokens() <= 120


def test_bars_are_as_long_as_their_values() -> None:
    chart = Bars("x", "A & B", "s", [("base", [Bar("one", 2.0), Bar("two", 1.0, "half")])], floors=[0.5])
    root = ElementTree.fromstring(chart.svg())
    widths = [float(rect.attrib["width"]) for rect in root.iter(f"{SVG}rect")]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"A & B", "base, one", "1 s (half)"} <= set(texts)
    assert "prefers-color-scheme:dark" in chart.svg()


def test_curves_end_where_their_points_do() -> None:
    chart = Lines("y", "Memory", "minutes", "MB", [Line("all", [(0, 0), (10, 100)])], limit=200)
    root = ElementTree.fromstring(chart.svg())
    [curve] = root.iter(f"{SVG}polyline")
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in curve.attrib["points"].split())
    assert x1 > x0
    assert y1 < y0
    assert any("stroke-dasharray" in line.attrib for line in root.iter(f"{SVG}line"))


def test_rows_and_pictures_of_what_was_not_run_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(f"before\n{report.BEGIN}\n{report.END}\nafter\n", "utf-8")
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "PICTURES", page.parent / "img" / "benchmarks")
    chart = Bars("one", "One", "s", [("", [Bar("a", 1.0)])])
    common = {"order": ["one", "two"], "quick": False}
    texts = {"one": "How one.", "two": "How two."}
    report.write({"one": [Figure("first", "1 s")]}, {"one": [chart]}, {"one": 0.0}, texts, **common)  # type: ignore[arg-type]
    report.write({"two": [Figure("second", "2 s")]}, {"two": []}, {"two": 0.5}, texts, **common)  # type: ignore[arg-type]
    text = page.read_text("utf-8")
    assert text.count("first | 1 s |") == text.count("second | 2 s |") == 1
    assert text.count("](img/benchmarks/one.svg)") == 1
    assert (page.parent / "img" / "benchmarks" / "one.svg").is_file()
    assert text.startswith("before")
    assert text.endswith("after\n")


def test_memory_is_told_by_process() -> None:
    sample = Sample(0.0, 700_000_000, 0, 3, (("server", 1, 100_000_000), ("engine", 2, 600_000_000)))
    assert spread(sample) == "server 100 MB, 2 × engine 300 MB"
