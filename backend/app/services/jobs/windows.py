"""Rows of windows: a plan and what was heard, to and from the pipeline's values."""

from __future__ import annotations

from typing import Any

from app.asr.types import Window, WindowResult
from app.core.clock import utcnow
from app.models import JobWindow
from app.services.jobs.claims import Claim
from app.services.transcripts.codec import pack_segment, unpack_segment


class PlanChangedError(Exception):
    """The file was cut differently than the stored plan says; the run has to start over."""


def planned_row(claim: Claim, run: int, window: Window) -> JobWindow:
    """The row of a window that nobody has listened to yet."""
    return JobWindow(
        job_id=claim.job_id,
        workspace_id=claim.workspace_id,
        run=run,
        idx=window.index,
        start_ms=window.start_ms,
        end_ms=window.end_ms,
        speech=[list(region) for region in window.speech],
        hard_cut=window.hard_cut,
        channel=window.channel,
    )


def check_same(row: JobWindow, window: Window) -> None:
    """Raises `PlanChangedError` where the file is cut differently than before."""
    if (row.start_ms, row.end_ms, row.channel) != (window.start_ms, window.end_ms, window.channel):
        raise PlanChangedError


def committed_values(earlier: JobWindow, result: WindowResult, claim: Claim) -> dict[str, Any]:
    """Columns of a window that has been listened to.

    A window that a person asked for again still holds its earlier text, which stays unless more of the speech has
    text now: a repair never makes a transcript worse.
    """
    done = {"fence": claim.fence, "committed_at": utcnow(), "engine_ms": result.engine_ms}
    if _is_no_better(earlier, result):
        return done
    return done | {
        "segments": [pack_segment(segment) for segment in result.segments],
        "language": result.language,
        "covered_ms": result.covered_ms,
        "gaps": [list(gap) for gap in result.gaps],
        "error_code": result.error,
    }


def _is_no_better(earlier: JobWindow, result: WindowResult) -> bool:
    if earlier.covered_ms is None:
        return False  # nobody has listened to it before
    if earlier.error_code is not None:
        return result.error is not None
    return result.error is not None or result.covered_ms <= earlier.covered_ms


def result_of(row: JobWindow) -> WindowResult:
    """What a committed row says. How often the quality gate asked again is not kept."""
    return WindowResult(
        segments=tuple(unpack_segment(s) for s in row.segments or []),
        language=row.language,
        engine_ms=row.engine_ms or 0,
        error=row.error_code,
        covered_ms=row.covered_ms or 0,
        gaps=tuple((start, end) for start, end in row.gaps),
    )
