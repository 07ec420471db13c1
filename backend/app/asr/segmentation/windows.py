"""Samples in, windows with their samples out: by speech, or fixed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.asr.segmentation.cutter import Cut, CutSettings, Cutter, cuts_for
from app.asr.segmentation.regions import Region, RegionFinder, RegionSettings
from app.asr.segmentation.silero import SpeechDetector
from app.asr.types import Vad, Window

Pcm = npt.NDArray[np.int16]
SAMPLES_PER_MS = 16
FIXED_MS = 30_000


class Windower(Protocol):
    """Takes 16 kHz int16 blocks of any size in order; `speech_ms` is what was found so far.

    `by_channel` says whether windows are those of single channels; it is final when the first window is there.
    """

    @property
    def speech_ms(self) -> int: ...

    @property
    def by_channel(self) -> bool: ...

    def feed(self, block: Pcm) -> Iterator[tuple[Window, Pcm]]: ...

    def finish(self) -> Iterator[tuple[Window, Pcm]]: ...


class SampleBuffer:
    """The samples that a window may still want, addressed by absolute time in ms."""

    def __init__(self) -> None:
        self._samples = np.zeros(0, np.int16)
        self._start = 0  # absolute index of the first sample kept
        self.end = 0  # absolute index after the last one

    def append(self, block: Pcm) -> None:
        self._samples = np.concatenate((self._samples, block))
        self.end += block.size

    def take(self, start_ms: int, end_ms: int) -> Pcm:
        """The samples between two moments; shorter where the recording ends within the last millisecond."""
        start, end = (ms * SAMPLES_PER_MS - self._start for ms in (start_ms, end_ms))
        return self._samples[start:end].copy()

    def forget(self, before_ms: int) -> None:
        count = min(max(0, before_ms * SAMPLES_PER_MS - self._start), self._samples.size)
        self._samples = self._samples[count:]
        self._start += count

    @property
    def end_ms(self) -> int:
        """The length so far, rounded up to a millisecond."""
        return -(-self.end // SAMPLES_PER_MS)


SHORTEST_TAIL_MS = 100


class FixedWindows:
    """Every 30 s (or `length_ms`) one window, whatever is in it."""

    by_channel = False

    def __init__(self, length_ms: int = FIXED_MS) -> None:
        self._length_ms = length_ms
        self._buffer = SampleBuffer()
        self._index = 0
        self.speech_ms = 0

    def feed(self, block: Pcm) -> Iterator[tuple[Window, Pcm]]:
        self._buffer.append(block)
        while self._buffer.end >= (self._index + 1) * self._length_ms * SAMPLES_PER_MS:
            yield self._emit((self._index + 1) * self._length_ms)

    def finish(self) -> Iterator[tuple[Window, Pcm]]:
        """What is left, unless it is too short to hold a sound: encoders pad a file by some milliseconds."""
        rest = self._buffer.end - self._index * self._length_ms * SAMPLES_PER_MS
        if rest > SHORTEST_TAIL_MS * SAMPLES_PER_MS or (rest > 0 and self._index == 0):
            yield self._emit(self._buffer.end_ms)

    def _emit(self, end_ms: int) -> tuple[Window, Pcm]:
        window = Window(self._index, self._index * self._length_ms, end_ms)
        pcm = self._buffer.take(window.start_ms, end_ms)
        self._buffer.forget(end_ms)
        self._index += 1
        self.speech_ms += window.duration_ms
        return window, pcm


class Planner:
    """Samples and probabilities of speech of one channel in, windows with their samples out."""

    def __init__(self, regions: RegionSettings | None = None, cuts: CutSettings | None = None) -> None:
        self._finder = RegionFinder(regions or RegionSettings())
        self._cutter = Cutter(cuts or CutSettings())
        self._buffer = SampleBuffer()
        self.speech_ms = 0

    def append(self, block: Pcm) -> None:
        """Samples come before the probabilities of their frames."""
        self._buffer.append(block)

    def push(self, probability: float) -> list[Cut]:
        """The cuts that are certain after one more frame."""
        closed = self._found(self._finder.push(probability))
        return self._cutter.push(probability, closed, self._finder.open_start_ms)

    def finish(self) -> list[Cut]:
        """The cuts left at the end of the recording."""
        end_ms = self._buffer.end_ms
        return self._cutter.finish(end_ms, self._found(self._finder.finish(end_ms)))

    def window(self, index: int, cut: Cut) -> tuple[Window, Pcm]:
        """A cut as a window with its samples; ask before `forget`."""
        end_ms = min(cut.end_ms, self._buffer.end_ms)
        return Window(index, cut.start_ms, end_ms, cut.speech, cut.hard), self._buffer.take(
            cut.start_ms, end_ms
        )

    def forget(self) -> None:
        """Lets go of samples that no later window can want."""
        self._buffer.forget(self._cutter.start_ms)

    def _found(self, region: Region | None) -> Region | None:
        if region is not None:
            self.speech_ms += region[1] - region[0]
        return region


class SpeechWindows:
    """Windows around speech, none where there is silence."""

    by_channel = False

    def __init__(self, cuts: CutSettings | None = None) -> None:
        self._detector = SpeechDetector()
        self._planner = Planner(cuts=cuts)
        self._index = 0

    @property
    def speech_ms(self) -> int:
        """Speech so far."""
        return self._planner.speech_ms

    def feed(self, block: Pcm) -> Iterator[tuple[Window, Pcm]]:
        self._planner.append(block)
        yield from self._advance(self._detector.feed(block))

    def finish(self) -> Iterator[tuple[Window, Pcm]]:
        yield from self._advance(self._detector.finish())
        for cut in self._planner.finish():
            yield self._emit(cut)

    def _advance(self, probabilities: npt.NDArray[np.float32]) -> Iterator[tuple[Window, Pcm]]:
        for probability in probabilities.tolist():
            for cut in self._planner.push(probability):
                yield self._emit(cut)
        if probabilities.size:
            self._planner.forget()

    def _emit(self, cut: Cut) -> tuple[Window, Pcm]:
        self._index += 1
        return self._planner.window(self._index - 1, cut)


def make_windower(vad: Vad, window_ms: int | None = None) -> Windower:
    """The windower of one channel, for an option of the job; windows of at most `window_ms`, None: of 30 s."""
    return FixedWindows(window_ms or FIXED_MS) if vad is Vad.OFF else SpeechWindows(cuts_for(window_ms))
