"""Probabilities of speech in, speech regions out: a threshold with hysteresis, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

from app.asr.segmentation.clock import FRAME_MS

Region = tuple[int, int]  # start_ms, end_ms


@dataclass(frozen=True, slots=True)
class RegionSettings:
    """Speech begins at `on` and ends after `min_silence_ms` below `off`; shorter speech is dropped."""

    on: float = 0.5
    off: float = 0.35
    min_silence_ms: int = 128
    min_speech_ms: int = 96


class RegionFinder:
    """Call `push` for every frame in order; `open_start_ms` is the start of speech that still goes on."""

    def __init__(self, settings: RegionSettings) -> None:
        self._settings = settings
        self._now = 0
        self._quiet_since: int | None = None
        self.open_start_ms: int | None = None

    def push(self, probability: float) -> Region | None:
        """The region that this frame closes, if any. Its end is known `min_silence_ms` late."""
        start, self._now = self._now, self._now + FRAME_MS
        if probability >= self._settings.on:
            self._quiet_since = None
            if self.open_start_ms is None:
                self.open_start_ms = start
        elif self.open_start_ms is not None:
            if probability < self._settings.off and self._quiet_since is None:
                self._quiet_since = start
            if (
                self._quiet_since is not None
                and self._now - self._quiet_since >= self._settings.min_silence_ms
            ):
                return self._close(self._quiet_since)
        return None

    def finish(self, end_ms: int) -> Region | None:
        """The region that is open when the recording ends at `end_ms`."""
        if self.open_start_ms is None:
            return None
        return self._close(min(self._quiet_since if self._quiet_since is not None else end_ms, end_ms))

    def _close(self, end_ms: int) -> Region | None:
        assert self.open_start_ms is not None
        region = (self.open_start_ms, end_ms)
        self.open_start_ms = self._quiet_since = None
        return region if region[1] - region[0] >= self._settings.min_speech_ms else None
