"""Decodes packet by packet into blocks of 16 kHz mono, keeping the recording's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from app.asr.audio.channels import Polarity, first_channel, mean_channel
from app.asr.audio.source import Source, check_rate
from app.asr.audio.unread import BARE, UnreadBytes
from app.core.errors import JobError

RATE = 16_000
MIN_MS = 100
# A file that claims so much, or brings so many packets, and holds (nearly) nothing is broken, not a short recording.
CLAIM_MS, CLAIM_PACKETS = 1_000, 50
JUMP_SECONDS = 0.05
MAX_GAP_SECONDS = 3600.0
MAX_MIXED = 8
BLOCK = RATE  # one second

Pcm = npt.NDArray[np.int16]


class SampleReader:
    """The samples of one source, once. Counters are final when the iteration has ended.

    `samples` counts 16 kHz samples, `bad_packets` those that could not be decoded, `lost_ms` the silence put in
    for them; `cut` says that reading ended in an error instead of the file's end, `damaged` that good packets follow
    bad ones. With `stereo`, blocks have the shape (n, 2), else (n,).
    """

    def __init__(self, source: Source, *, max_seconds: int, stereo: bool = False) -> None:
        self._source = source
        self._stereo = stereo
        self._max_samples = max_seconds * RATE
        self._max_seconds = max_seconds
        self._resampler: Any = None
        self._shape: tuple[str, int, str, int] | None = None
        self._origin: float | None = None
        self._clock = 0.0  # seconds of source audio put out so far, silence included
        self._trouble = False
        self._packets = 0
        self._unread = UnreadBytes() if source.format_name in BARE else None
        self._polarity = Polarity()
        self.samples = 0
        self.bad_packets = 0
        self.lost_ms = 0
        self.cut = False
        self.damaged = False

    def __iter__(self) -> Iterator[Pcm]:
        """Blocks of at most one second. Raises JobError: `audio_invalid`, `audio_too_short`, `duration_limit`,
        `media_invalid`."""
        for frame in self._frames():
            for block in self._convert(frame):
                yield self._count(block)
        for block in self._flush():
            yield self._count(block)
        if self.samples == 0 and self.bad_packets:
            raise JobError(
                "media_invalid", "Nothing in this file could be decoded: its audio data is damaged."
            )
        if self.samples < MIN_MS * RATE // 1000:
            if (self._source.hint_ms or 0) >= CLAIM_MS or self._packets >= CLAIM_PACKETS:
                raise JobError(
                    "media_invalid",
                    "The file claims more sound than could be found in it: its index is wrong or its data is missing."
                    " Export or download it again.",
                )
            raise JobError("audio_too_short", "The recording is shorter than a tenth of a second.")

    def _count(self, block: Pcm) -> Pcm:
        self.samples += len(block)
        if self.samples > self._max_samples:
            limit = timedelta(seconds=self._max_seconds)
            raise JobError(
                "duration_limit",
                f"The recording is longer than the limit of {limit} (hours:minutes:seconds).",
            )
        return block

    def _frames(self) -> Iterator[Any]:
        """Decoded frames; a packet that cannot be decoded is skipped, not the end."""
        packets = self._source.container.demux(self._source.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, ValueError):
                self.cut = True
                return
            self._packets += 1
            try:
                frames = packet.decode()
            except (av.error.EOFError, StopIteration):
                continue
            except (av.error.FFmpegError, ValueError):
                self.bad_packets += 1
                self._trouble = True
                if self._unread is not None:
                    self._unread.add_bad(bytes(packet))
                continue
            if frames and self.bad_packets:
                self.damaged = True
            if frames and self._unread is not None:
                self._unread.add_good(packet.size, sum(frame.samples / frame.sample_rate for frame in frames))
            yield from frames

    def _convert(self, frame: Any) -> Iterator[Pcm]:
        check_rate(frame.sample_rate)
        if not self._stereo and frame.layout.nb_channels == 2 and self._polarity.cancels(frame):
            frame = first_channel(frame)
        shape = (frame.format.name, frame.sample_rate, frame.layout.name, frame.layout.nb_channels)
        if shape != self._shape:
            yield from self._flush()
            self._shape = shape
            self._resampler = self._make_resampler()
        if frame.format.name.startswith(("flt", "dbl")) and self._source.codec.startswith("pcm_f"):
            _check_finite(frame)
        gap = self._gap(frame)
        if gap:
            yield from self._flush()
            self._resampler = self._make_resampler()
            yield from self._silence(gap)
        self._clock += frame.samples / frame.sample_rate
        if frame.layout.nb_channels > MAX_MIXED:
            frame = mean_channel(frame)
        frame.pts = None  # the resampler would turn jumps of the clock into its own corrections
        for out in self._resampler.resample(frame):
            yield self._to_pcm(out)

    def _make_resampler(self) -> Any:
        return av.AudioResampler("s16", "stereo" if self._stereo else "mono", RATE, frame_size=BLOCK)

    def _to_pcm(self, frame: Any) -> Pcm:
        samples = np.ascontiguousarray(frame.to_ndarray().reshape(-1), np.int16)
        return samples.reshape(-1, 2) if self._stereo else samples

    def _gap(self, frame: Any) -> float:
        """Seconds of silence that belong before this frame."""
        time = frame.time
        if time is None:
            return 0.0
        if self._origin is None:
            start = self._source.container.start_time
            self._origin = start / av.time_base if start is not None else time
            if not 0 <= time - self._origin <= MAX_GAP_SECONDS:
                self._origin = time
        gap = float(time - self._origin - self._clock)
        hint = self._source.hint_ms
        beyond = hint is not None and time - self._origin > hint / 1000 + 5
        if gap < -JUMP_SECONDS or gap > MAX_GAP_SECONDS or (gap > JUMP_SECONDS and beyond):
            self._origin = time - self._clock  # the clock was set anew: go on from here
            gap = 0.0
        if self._unread is not None:
            gap = min(max(gap, self._unread.take_seconds()), MAX_GAP_SECONDS)
        if gap <= JUMP_SECONDS:
            return 0.0
        if self._trouble:
            self.lost_ms += round(gap * 1000)
            self._trouble = False
        return gap

    def _silence(self, seconds: float) -> Iterator[Pcm]:
        self._clock += seconds
        left = round(seconds * RATE)
        while left > 0:
            count = min(left, BLOCK)
            yield np.zeros((count, 2) if self._stereo else count, np.int16)
            left -= BLOCK

    def _flush(self) -> Iterator[Pcm]:
        if self._resampler is None:
            return
        for out in self._resampler.resample(None):
            yield self._to_pcm(out)
        self._resampler = None


def _check_finite(frame: Any) -> None:
    if not np.isfinite(frame.to_ndarray()).all():
        raise JobError(
            "audio_invalid",
            "The recording holds samples that are not numbers (NaN or infinite). Export it again.",
        )
