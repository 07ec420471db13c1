"""Packs speech regions into as few windows as possible, cut in silences."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.asr.segmentation.clock import FRAME_MS
from app.asr.segmentation.regions import Region


@dataclass(frozen=True, slots=True)
class CutSettings:
    """All in milliseconds. A window holds at most `max_ms`, with `pad_ms` of silence kept at both ends.

    At the limit the cut goes to the latest silence of `good_silence_ms` that begins after `early_ms`, else to the
    longest silence there, else to the least likely moment of speech (a hard cut). A silence of `close_ms` ends a
    window that is at least `full_ms` long: every window costs the engine the same, so short ones are waste.
    """

    max_ms: int = 29_500
    pad_ms: int = 250
    good_silence_ms: int = 300
    early_ms: int = 8_000
    close_ms: int = 3_000
    full_ms: int = 20_000
    lookahead_ms: int = 160


def cuts_for(window_ms: int | None) -> CutSettings:
    """The settings for an engine that takes longer windows than Whisper's 30 s (None), in the same proportions."""
    usual = CutSettings()
    if window_ms is None:
        return usual
    return replace(
        usual,
        max_ms=window_ms,
        early_ms=window_ms * usual.early_ms // usual.max_ms,
        full_ms=window_ms * usual.full_ms // usual.max_ms,
    )


@dataclass(frozen=True, slots=True)
class Cut:
    """A window before it has an index: its bounds and the speech inside."""

    start_ms: int
    end_ms: int
    speech: tuple[Region, ...]
    hard: bool = False


@dataclass(slots=True)
class Cutter:
    """Takes closed regions and the clock, gives windows in order. A pure function of what it was given."""

    settings: CutSettings
    _regions: list[Region] = field(default_factory=list)
    _floor: int = 0  # no window may begin before this
    _probabilities: list[float] = field(default_factory=list)
    _first_frame: int = 0  # index of _probabilities[0]

    def push(self, probability: float, closed: Region | None, open_start: int | None) -> list[Cut]:
        """One frame later: `closed` is a region that it closed, `open_start` that of speech still going on."""
        self._probabilities.append(probability)
        self._add(closed)
        now = (self._first_frame + len(self._probabilities)) * FRAME_MS
        cuts = []
        while (cut := self._cut(now, open_start)) is not None:
            cuts.append(cut)
        if not self._regions and open_start is None:
            self._forget(now)
        return cuts

    def finish(self, end_ms: int, closed: Region | None) -> list[Cut]:
        """The windows left when the recording ends at `end_ms`."""
        self._add(closed)
        cuts = []
        while (cut := self._cut(end_ms + self.settings.max_ms * 2, None)) is not None:
            cuts.append(Cut(cut.start_ms, min(cut.end_ms, end_ms), cut.speech, cut.hard))
        return cuts

    @property
    def start_ms(self) -> int:
        """Samples before this moment will not be asked for again."""
        if self._regions:
            return self._begin(self._regions[0][0])
        now = (self._first_frame + len(self._probabilities)) * FRAME_MS
        return max(self._floor, self._first_frame * FRAME_MS - self.settings.pad_ms, 0) if now else 0

    def _add(self, closed: Region | None) -> None:
        if closed is not None and closed[1] > self._floor:  # a hard cut may have taken its beginning
            self._regions.append((max(closed[0], self._floor), closed[1]))

    def _begin(self, speech_start: int) -> int:
        return max(self._floor, speech_start - self.settings.pad_ms, 0)

    def _cut(self, now: int, open_start: int | None) -> Cut | None:
        """The next window, once all that could go into it has been seen."""
        regions = [*self._regions]
        if open_start is not None:
            regions.append((max(open_start, self._floor), now))
        if not regions:
            return None
        start = self._begin(regions[0][0])
        limit = start + self.settings.max_ms
        last_end = regions[-1][1]
        if open_start is None and last_end <= limit:
            quiet = now - last_end
            enough = quiet >= self.settings.close_ms and last_end - start >= self.settings.full_ms
            if enough or now >= limit:
                return self._emit(start, len(regions), min(last_end + self.settings.pad_ms, limit))
            return None
        if now < limit + self.settings.lookahead_ms:  # speech that ends right here closes a little later
            return None
        return self._cut_at_limit(regions, start, limit)

    def _cut_at_limit(self, regions: list[Region], start: int, limit: int) -> Cut:
        """Some region ends beyond the limit: choose where to part."""
        fitting = sum(1 for _, end in regions if end <= limit)
        gaps = [
            (index, regions[index - 1][1], regions[index][0])
            for index in range(1, fitting + 1)
            if regions[index - 1][1] >= start + self.settings.early_ms
        ]
        good = [gap for gap in gaps if gap[2] - gap[1] >= self.settings.good_silence_ms]
        if good or gaps:
            index, quiet, speech = good[-1] if good else max(gaps, key=lambda gap: gap[2] - gap[1])
            middle = (quiet + speech) // 2
            return self._emit(start, index, min(quiet + self.settings.pad_ms, middle), floor=middle)
        return self._hard_cut(regions, start, limit)

    def _hard_cut(self, regions: list[Region], start: int, limit: int) -> Cut:
        first = -(-(start + self.settings.early_ms) // FRAME_MS)
        frames = range(first, limit // FRAME_MS)
        moment = min(frames, key=lambda frame: (self._smoothed(frame), -frame)) * FRAME_MS
        inside = [(begin, min(end, moment)) for begin, end in regions if begin < moment]
        rest = [(max(begin, moment), end) for begin, end in self._regions if end > moment]
        self._regions = rest
        self._floor = moment
        self._forget(moment)
        return Cut(start, moment, tuple(inside), hard=True)

    def _smoothed(self, frame: int) -> float:
        """Mean probability of the five frames around `frame`."""
        at = frame - self._first_frame
        near = self._probabilities[max(0, at - 2) : at + 3]
        return sum(near) / len(near) if near else 1.0

    def _emit(self, start: int, count: int, end: int, floor: int | None = None) -> Cut:
        speech = tuple(self._regions[:count])
        del self._regions[:count]
        self._floor = end if floor is None else floor
        self._forget(self._regions[0][0] if self._regions else end)
        return Cut(start, end, speech)

    def _forget(self, before_ms: int) -> None:
        """Drops probabilities that no later cut can need."""
        count = max(0, min(before_ms // FRAME_MS - self._first_frame, len(self._probabilities)))
        del self._probabilities[:count]
        self._first_frame += count
