"""Where a running pipeline keeps what it has reached."""

from __future__ import annotations

from typing import Protocol

from app.asr.merge import in_time_order
from app.asr.types import MediaSummary, Peaks, Segment, Stage, Window, WindowResult


class PipelineSink(Protocol):
    """The checkpoints of one job. Each call has been made durable when it returns."""

    async def stage(self, stage: Stage) -> None:
        """The job has come to this stage."""

    async def probed(self, hint_duration_ms: int | None) -> None:
        """The file is readable and claims this duration: a hint for progress and ETA, corrected by `decoded`."""

    async def plan(self, window: Window) -> WindowResult | None:
        """Keeps the window before it may run. Returns its result where an earlier run has committed it."""

    def attempts(self, window: Window) -> int:
        """How often a window that is planned was asked for again: from 1 on the engine tries differently."""

    async def started(self, window: Window) -> None:
        """An engine process is about to get the window's samples (counts executions)."""

    async def committed(self, window: Window, result: WindowResult) -> None:
        """The window is done. Calls come in the order in which windows end, not by index."""

    async def decoded(self, summary: MediaSummary, peaks: Peaks | None) -> None:
        """The whole file has been read: the plan is complete. `peaks` is None where nothing was decoded."""


class MemorySink:
    """Keeps everything in memory: for the command line and tests. Reused for a second run, it resumes."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.hint_duration_ms: int | None = None
        self.windows: dict[int, Window] = {}
        self.results: dict[int, WindowResult] = {}
        self.executions: list[int] = []
        self.summary: MediaSummary | None = None
        self.peaks: Peaks | None = None

    async def stage(self, stage: Stage) -> None:
        self.stages.append(stage)

    async def probed(self, hint_duration_ms: int | None) -> None:
        self.hint_duration_ms = hint_duration_ms

    async def plan(self, window: Window) -> WindowResult | None:
        known = self.windows.setdefault(window.index, window)
        return self.results.get(window.index) if known == window else None

    def attempts(self, window: Window) -> int:  # noqa: ARG002 (nobody asks a second time here)
        return 0

    async def started(self, window: Window) -> None:
        self.executions.append(window.index)

    async def committed(self, window: Window, result: WindowResult) -> None:
        self.results[window.index] = result

    async def decoded(self, summary: MediaSummary, peaks: Peaks | None) -> None:
        self.summary, self.peaks = summary, peaks

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments so far, in order of time."""
        return in_time_order(s for index in sorted(self.results) for s in self.results[index].segments)
