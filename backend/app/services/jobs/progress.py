"""How far a job is and when it will be done, from the windows it has committed. Pure; the clock is handed in."""

from __future__ import annotations

from typing import Any

from app.asr.types import Stage

MIN_SAMPLES = 2  # windows before an ETA is worth showing


class ProgressMeter:
    """Counts audio milliseconds. Silence that is skipped catches up at the end."""

    def __init__(self, job_id: str, duration_ms: int | None) -> None:
        self._job_id = job_id
        self._duration_ms = duration_ms
        self._done_ms = 0
        self._fresh_ms = 0
        self._fresh_windows = 0
        self._began: float | None = None
        self._last = 0.0

    def expect(self, duration_ms: int | None) -> None:
        """The recording's length; first the header's hint, at the end of decoding the truth."""
        self._duration_ms = duration_ms or self._duration_ms

    def resumed(self, window_ms: int) -> None:
        """A window that an earlier claim committed."""
        self._done_ms += window_ms

    def began(self, now: float) -> None:
        """`now` on a monotonic clock, in seconds."""
        self._began = self._began if self._began is not None else now

    def committed(self, window_ms: int, now: float) -> None:
        self._done_ms += window_ms
        self._fresh_ms += window_ms
        self._fresh_windows += 1
        self._last = now

    @property
    def fraction(self) -> float:
        """0..1; stays under 1 until the transcript is written."""
        return min(0.99, self._done_ms / self._duration_ms) if self._duration_ms else 0.0

    @property
    def eta_seconds(self) -> int | None:
        if self._began is None or self._fresh_windows < MIN_SAMPLES or not self._duration_ms:
            return None
        pace = (self._last - self._began) / self._fresh_ms
        return max(1, round(pace * max(0, self._duration_ms - self._done_ms)))

    def report(self, stage: Stage) -> dict[str, Any]:
        """The `progress` event of docs/api.md."""
        return {
            "job_id": self._job_id,
            "progress": round(self.fraction, 4),
            "stage": str(stage),
            "eta_seconds": self.eta_seconds,
        }
