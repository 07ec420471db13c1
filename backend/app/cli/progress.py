"""Progress of `transcribe run`: a bar with real-time factor and ETA on a terminal, plain lines in a pipe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from app.asr.types import Stage

_STAGES = {
    Stage.DECODING: "reading audio",
    Stage.LOADING_MODEL: "loading the model",
    Stage.TRANSCRIBING: "transcribing",
    Stage.FINALIZING: "finishing",
}
PLAIN_STEP = 0.1  # a line in a pipe for each tenth


class FileProgress(Protocol):
    """What one file reports."""

    def say(self, message: str) -> None: ...

    def stage(self, stage: Stage) -> None: ...

    def expect(self, duration_ms: int | None) -> None: ...

    def downloading(self, done: int, total: int) -> None: ...

    def done(self, until_ms: int, window_ms: int, now: float) -> None: ...


class Reporter(Protocol):
    """Where progress goes."""

    def say(self, message: str) -> None: ...

    def file(self, name: str) -> AbstractContextManager[FileProgress]: ...


def make_reporter(stream: TextIO) -> Reporter:
    """The bar for a person, lines for a log."""
    return _Bars(Console(file=stream)) if stream.isatty() else _Lines(stream)


class _Pace:
    """Audio milliseconds done and the real-time factor so far (processing time over audio time)."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.duration_ms: int | None = None
        self.audio_ms = 0
        self.until_ms = 0

    def done(self, until_ms: int, window_ms: int) -> None:
        self.audio_ms += window_ms
        self.until_ms = max(self.until_ms, until_ms)

    @property
    def real_time_factor(self) -> float:
        return (time.monotonic() - self.began) / max(0.001, self.until_ms / 1000)

    @property
    def fraction(self) -> float:
        return min(1.0, self.until_ms / self.duration_ms) if self.duration_ms else 0.0


class _Lines:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def say(self, message: str) -> None:
        print(message, file=self._stream, flush=True)

    @contextmanager
    def file(self, name: str) -> Iterator[_LineProgress]:
        progress = _LineProgress(self, name)
        yield progress
        progress.finish()


class _LineProgress:
    def __init__(self, lines: _Lines, name: str) -> None:
        self._lines = lines
        self._name = name
        self._pace = _Pace()
        self._next = PLAIN_STEP
        self._stage: Stage | None = None

    def say(self, message: str) -> None:
        self._lines.say(f"{self._name}: {message}")

    def stage(self, stage: Stage) -> None:
        if stage != self._stage:
            self._stage = stage
            self.say(_STAGES.get(stage, stage))

    def expect(self, duration_ms: int | None) -> None:
        self._pace.duration_ms = duration_ms

    def downloading(self, done: int, total: int) -> None:
        if total and done / total >= self._next:
            self._next = done / total + PLAIN_STEP
            self.say(f"downloading the model, {done / total:.0%}")

    def done(self, until_ms: int, window_ms: int, now: float) -> None:  # noqa: ARG002 (the bar's clock is its own)
        self._pace.done(until_ms, window_ms)
        if self._pace.fraction >= self._next and self._pace.fraction < 1:
            self._next = self._pace.fraction + PLAIN_STEP
            self.say(f"{self._pace.fraction:.0%}, real-time factor {self._pace.real_time_factor:.2f}")

    def finish(self) -> None:
        if self._pace.duration_ms:
            self._pace.until_ms = self._pace.duration_ms
            seconds = time.monotonic() - self._pace.began
            self.say(f"done in {seconds:.1f} s, real-time factor {self._pace.real_time_factor:.2f}")


class _Bars:
    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, message: str) -> None:
        self._console.print(message, markup=False, highlight=False)

    @contextmanager
    def file(self, name: str) -> Iterator[_BarProgress]:
        columns = (
            TextColumn("{task.fields[name]}", markup=False),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("RTF {task.fields[rtf]}"),
            TextColumn("ETA"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console, transient=False) as bars:
            task = bars.add_task("waiting", total=None, name=name, rtf="–")
            progress = _BarProgress(self, bars, task)
            yield progress
            progress.finish()


class _BarProgress:
    def __init__(self, owner: _Bars, bars: Progress, task: TaskID) -> None:
        self._owner = owner
        self._bars = bars
        self._task = task
        self._pace = _Pace()

    def say(self, message: str) -> None:
        self._owner.say(message)

    def stage(self, stage: Stage) -> None:
        self._bars.update(self._task, description=_STAGES.get(stage, str(stage)))

    def expect(self, duration_ms: int | None) -> None:
        self._pace.duration_ms = duration_ms
        self._bars.update(self._task, total=duration_ms)

    def downloading(self, done: int, total: int) -> None:
        self._bars.update(
            self._task, description="downloading the model", completed=done, total=total or None
        )

    def done(self, until_ms: int, window_ms: int, now: float) -> None:  # noqa: ARG002 (the bar's clock is its own)
        self._pace.done(until_ms, window_ms)
        rtf = f"{self._pace.real_time_factor:.2f}"
        self._bars.update(self._task, completed=self._pace.until_ms, rtf=rtf)

    def finish(self) -> None:
        total = self._pace.duration_ms or 1
        self._bars.update(self._task, completed=total, total=total, description="done")
