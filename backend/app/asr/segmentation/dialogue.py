"""Windows of a recording with two channels: of each channel for itself where they are two speakers, else of the mix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.asr.segmentation.crosstalk import UNIT, Evidence, Listener, Stretch
from app.asr.segmentation.cutter import Cut, cuts_for
from app.asr.segmentation.windows import FIXED_MS, FixedWindows, Planner, Windower, make_windower
from app.asr.types import Vad, Window

Pcm = npt.NDArray[np.int16]
LOOK_AHEAD = 600 * 16_000 // UNIT  # units; ten minutes, 38 MB of samples


class DialogueWindows:
    """Takes blocks (n, 2). Decides when two speakers are plain, else after ten minutes or all of a shorter recording."""

    def __init__(self, vad: Vad, *, window_ms: int | None = None, look_ahead: int = LOOK_AHEAD) -> None:
        self._vad = vad
        self._window_ms = window_ms
        self._look_ahead = look_ahead
        self._listener = Listener()
        self._evidence = Evidence()
        self._early: list[Stretch] = []
        self._channels: ChannelWindows | None = None
        self._mixed: Windower | None = None

    @property
    def by_channel(self) -> bool:
        """Whether windows are those of single channels."""
        return self._channels is not None

    @property
    def speech_ms(self) -> int:
        """Speech so far, that of both channels added up."""
        chosen = self._channels or self._mixed
        return chosen.speech_ms if chosen is not None else 0

    def feed(self, block: Pcm) -> Iterator[tuple[Window, Pcm]]:
        """The windows that this block completes."""
        for stretch in self._listener.feed(block):
            yield from self._take(stretch)

    def finish(self) -> Iterator[tuple[Window, Pcm]]:
        """The windows left at the end."""
        for stretch in self._listener.finish():
            yield from self._take(stretch)
        yield from self._decide()
        if self._channels is not None:
            yield from self._channels.finish()
        elif self._mixed is not None:
            yield from self._mixed.finish()

    def _take(self, stretch: Stretch) -> Iterator[tuple[Window, Pcm]]:
        if self._channels is not None:
            yield from self._channels.feed(stretch)
        elif self._mixed is not None:
            yield from self._mixed.feed(stretch.mix)
        else:
            self._evidence.add(stretch)
            self._early.append(stretch)
            if self._evidence.plain or len(self._early) >= self._look_ahead:
                yield from self._decide()

    def _decide(self) -> Iterator[tuple[Window, Pcm]]:
        if self._channels is not None or self._mixed is not None:
            return
        if self._evidence.two_speakers:
            self._channels = ChannelWindows(self._vad, self._window_ms)
        else:
            self._mixed = make_windower(self._vad, self._window_ms)
        early, self._early = self._early[::-1], []
        while early:
            yield from self._take(early.pop())


class ChannelWindows:
    """Windows of two channels, numbered in the order in which they are complete; the far speaker's voice is muted."""

    def __init__(self, vad: Vad, window_ms: int | None = None) -> None:
        length, cuts = window_ms or FIXED_MS, cuts_for(window_ms)
        self._fixed = (FixedWindows(length), FixedWindows(length)) if vad is Vad.OFF else None
        self._planners = (Planner(cuts=cuts), Planner(cuts=cuts))
        self._index = 0

    @property
    def speech_ms(self) -> int:
        """Speech so far, that of both channels added up."""
        return sum(part.speech_ms for part in self._fixed or self._planners)

    def feed(self, stretch: Stretch) -> Iterator[tuple[Window, Pcm]]:
        """The windows that this stretch completes."""
        samples = np.ascontiguousarray(stretch.dry.T)
        if self._fixed is not None:
            for channel, fixed in enumerate(self._fixed):
                yield from (self._number(channel, *found) for found in fixed.feed(samples[channel]))
            return
        for planner, block in zip(self._planners, samples, strict=True):
            planner.append(block)
        heard = np.where(stretch.drowned, 0, stretch.speech)
        for pair in heard.tolist():
            for channel, probability in enumerate(pair):
                for cut in self._planners[channel].push(probability):
                    yield self._cut(channel, cut)
        for planner in self._planners:
            planner.forget()

    def finish(self) -> Iterator[tuple[Window, Pcm]]:
        """The windows left at the end, the left channel's first."""
        if self._fixed is not None:
            for channel, fixed in enumerate(self._fixed):
                yield from (self._number(channel, *found) for found in fixed.finish())
            return
        for channel, planner in enumerate(self._planners):
            for cut in planner.finish():
                yield self._cut(channel, cut)

    def _cut(self, channel: int, cut: Cut) -> tuple[Window, Pcm]:
        return self._number(channel, *self._planners[channel].window(0, cut))

    def _number(self, channel: int, window: Window, pcm: Pcm) -> tuple[Window, Pcm]:
        self._index += 1
        return replace(window, index=self._index - 1, channel=channel), pcm
