"""Progress and ETA from committed windows."""

from __future__ import annotations

import pytest

from app.asr.types import Stage
from app.services.jobs.progress import ProgressMeter


def test_an_eta_needs_two_windows_and_counts_only_fresh_ones() -> None:
    meter = ProgressMeter("job", 100_000)
    meter.resumed(20_000)
    assert meter.fraction == pytest.approx(0.2)
    meter.began(10.0)
    meter.committed(20_000, 12.0)
    assert meter.eta_seconds is None
    meter.committed(20_000, 14.0)
    assert meter.eta_seconds == 4  # 40 s of audio took 4 s, 40 s are left
    assert meter.report(Stage.TRANSCRIBING) == {
        "job_id": "job",
        "progress": 0.6,
        "stage": "transcribing",
        "eta_seconds": 4,
    }


def test_it_is_not_done_before_the_transcript_is_written() -> None:
    meter = ProgressMeter("job", 1000)
    meter.committed(1000, 1.0)
    assert meter.fraction == 0.99


def test_without_a_duration_nothing_is_promised() -> None:
    meter = ProgressMeter("job", None)
    meter.began(0.0)
    meter.committed(1000, 1.0)
    meter.committed(1000, 2.0)
    assert (meter.fraction, meter.eta_seconds) == (0.0, None)
    meter.expect(4000)
    assert meter.fraction == 0.5
