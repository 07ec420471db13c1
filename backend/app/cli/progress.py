"""Progress of `transcribe run` and `watch`: a bar with real-time factor and ETA on a terminal, plain lines in a pipe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from app.asr.types import Stage

_STAGES = {
    Stage.FETCHING: "fetching",
    Stage.DECODING: "reading audio",
    Stage.LOADING_MODEL: "loading the model",
    Stage.TRANSCRIBING: "transcribing",
    Stage.DIARIZING: "telling the speakers apart",
    Stage.FINALIZING: "finishing",
}
PLAIN_STEP = 0.1  # a line in a pipe for each tenth


class Preparation(Protocol):
    """What is reported before a file is listened to."""

    def say(self, message: str) -> None: ...

    def downloading(self, done: int, total: int) -> None: ...


class FileProgress(Protocol):
    """What one file reports."""

    def say(self, message: str) -> None: ...

    def fetched(self, done: int, total: int | None) -> None: ...

    def stage(self, stage: Stage) -> None: ...

    def expect(self, duration_ms: int | None) -> None: ...

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

    def finish(self) -> str:
        """The figures of the whole file."""
        self.until_ms = self.duration_ms or 0
        seconds = time.monotonic() - self.began
        return f"done in {seconds:.1f} s, real-time factor {self.real_time_factor:.2f}"

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

    def fetched(self, done: int, total: int | None) -> None:
        """Bytes of a link's recording; `total` None where the site does not say."""
        if total and done < total and done / total >= self._next:
            self._next = done / total + PLAIN_STEP
            self.say(f"fetching, {done / total:.0%}")

    def expect(self, duration_ms: int | None) -> None:
        self._pace.duration_ms = duration_ms

    def done(self, until_ms: int, window_ms: int, now: float) -> None:  # noqa: ARG002 (the bar's clock is its own)
        self._pace.done(until_ms, window_ms)
        if self._pace.fraction >= self._next and self._pace.fraction < 1:
            self._next = self._pace.fraction + PLAIN_STEP
            self.say(f"{self._pace.fraction:.0%}, real-time factor {self._pace.real_time_factor:.2f}")

    def finish(self) -> None:
        if self._pace.duration_ms:
            self.say(self._pace.finish())


class _Bars:
    """One display for all files at work; the bar of a file goes when it is done, a line of it stays."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (
            TextColumn("{task.fields[name]}", markup=False),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("RTF {task.fields[rtf]}"),
            TextColumn("ETA"),
            TimeRemainingColumn(),
        )
        self._bars = Progress(*columns, console=console, transient=True)
        self._active = 0

    def say(self, message: str) -> None:
        self._console.print(message, markup=False, highlight=False)

    @contextmanager
    def file(self, name: str) -> Iterator[_BarProgress]:
        if not self._active:
            self._bars.start()
        self._active += 1
        task = self._bars.add_task("waiting", total=None, name=name, rtf="–")
        progress = _BarProgress(self, self._bars, task, name)
        try:
            yield progress
            if progress.finish():
                self.say(f"{name}: {progress.summary}")
        finally:
            self._bars.remove_task(task)
            self._active -= 1
            if not self._active:
                self._bars.stop()


class _BarProgress:
    def __init__(self, owner: _Bars, bars: Progress, task: TaskID, name: str) -> None:
        self._owner = owner
        self._bars = bars
        self._task = task
        self._name = name
        self._pace = _Pace()
        self.summary = ""

    def say(self, message: str) -> None:
        self._owner.say(f"{self._name}: {message}")

    def stage(self, stage: Stage) -> None:
        self._bars.update(self._task, description=_STAGES.get(stage, str(stage)))

    def fetched(self, done: int, total: int | None) -> None:
        self._bars.update(self._task, total=total, completed=done)

    def expect(self, duration_ms: int | None) -> None:
        self._pace.duration_ms = duration_ms
        self._bars.update(self._task, total=duration_ms)

    def done(self, until_ms: int, window_ms: int, now: float) -> None:  # noqa: ARG002 (the bar's clock is its own)
        self._pace.done(until_ms, window_ms)
        rtf = f"{self._pace.real_time_factor:.2f}"
        self._bars.update(self._task, completed=self._pace.until_ms, rtf=rtf)

    def finish(self) -> bool:
        """Whether there is something to sum up: only where sound was listened to."""
        self.summary = self._pace.finish() if self._pace.duration_ms else ""
        return bool(self.summary)
