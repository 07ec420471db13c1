"""The work of the child process: one recording, read as a stream, into turns. Memory grows with the number of
windows (about 1 kB each), not with the samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.asr.audio.samples import SampleReader
from app.asr.audio.source import open_source
from app.asr.diarization import clustering, refine, spans, timeline
from app.asr.diarization.clustering import Wanted
from app.asr.diarization.embedder import Likeness, VoiceEmbedder
from app.asr.diarization.types import Region, Turn
from app.asr.segmentation.regions import RegionFinder, RegionSettings
from app.asr.segmentation.silero import SpeechDetector

REPORT_EVERY_SECONDS = 0.5
EMBEDDING_SHARE = 0.9  # of the whole work, for the progress
CLUSTERED_MS = 600  # shorter windows do not decide who there is
LEAST_PURE = 0.3  # share of the windows that decides at least

F32 = npt.NDArray[np.float32]
Pcm = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]
Report = Callable[[float], None]


def tell_apart(
    path: Path,
    regions: Sequence[Region] | None,
    embedder: VoiceEmbedder,
    wanted: Wanted,
    *,
    max_seconds: int,
    report: Report,
) -> list[Turn]:
    """Turns inside the `regions` of speech, which are found first where None is given. `report` hears a fraction 0..1
    at least every second while the recording is read: silence means that this hangs. Raises JobError."""
    progress = _Progress(report)
    if regions is None:
        regions = find_speech(_blocks(path, max_seconds, progress))
    speech = spans.join(regions)
    if not speech:
        return []
    if wanted.speakers == 1 or (wanted.speakers is None and wanted.max_speakers == 1):
        return timeline.turns([(start, end, 0) for start, end in speech])
    windows = [window for region in speech for window in spans.windows(region)]
    progress.part(0.0, EMBEDDING_SHARE)
    vectors = embed(_blocks(path, max_seconds, progress), windows, embedder, progress)
    told = ~np.isnan(vectors[:, 0]) if vectors.size else np.zeros(len(windows), bool)
    if not told.any():
        return timeline.turns([(start, end, 0) for start, end in speech])
    deciding = _deciding(windows, vectors, told, embedder.likeness)
    centres = clustering.centres(deciding, wanted, embedder.likeness)
    kept = [window for window, good in zip(windows, told, strict=True) if good]
    stretches = timeline.stretches(speech, kept, vectors[told] @ centres.T)
    progress.part(EMBEDDING_SHARE, 1.0)
    stretches = _refined(_blocks(path, max_seconds, progress), stretches, centres, embedder, progress)
    return timeline.turns(stretches)


def find_speech(blocks: Iterable[Pcm]) -> list[Region]:
    """Speech regions by voice detection."""
    detector, finder = SpeechDetector(), RegionFinder(RegionSettings())
    found: list[Region | None] = []
    samples = 0
    for block in blocks:
        samples += block.size
        found += [finder.push(probability) for probability in detector.feed(block).tolist()]
    found += [finder.push(probability) for probability in detector.finish().tolist()]
    found.append(finder.finish(samples // spans.SAMPLES_PER_MS))
    return [region for region in found if region is not None]


def embed(
    blocks: Iterable[Pcm], windows: Sequence[Region], embedder: VoiceEmbedder, progress: _Progress
) -> F32:
    """The windows' vectors, shape (n, d); rows of NaN where nothing can be told; (n, 0) where nothing at all can."""
    rows: list[F32 | None] = [None] * len(windows)
    for done, (i, pcm) in enumerate(spans.cut(blocks, windows)):
        rows[i] = embedder.embed(pcm.astype(np.float32) / np.float32(32768))
        progress.tell(done / len(windows))
    size = next((row.size for row in rows if row is not None), 0)
    blank = np.full(size, np.nan, np.float32)
    return np.array([blank if row is None else row for row in rows], np.float32).reshape(len(windows), size)


def _blocks(path: Path, max_seconds: int, progress: _Progress) -> Iterator[Pcm]:
    with open_source(path) as source:
        for block in SampleReader(source, max_seconds=max_seconds):
            progress.tell()
            yield block


def _deciding(windows: Sequence[Region], vectors: F32, told: Flags, likeness: Likeness) -> F32:
    """The vectors that decide who there is: short windows tell too little, and one in which the speaker changes
    sounds like somebody who is not there."""
    lengths = np.array([end - start for start, end in windows])
    long = told & (lengths >= CLUSTERED_MS)
    long = long if long.sum() >= 2 else told
    purity = clustering.purity(windows, vectors)
    pure = long & (purity >= (likeness.same + likeness.different) / 2)
    if pure.sum() < LEAST_PURE * long.sum():
        pure = long & (purity >= np.quantile(purity[long], 1 - LEAST_PURE))
    return vectors[pure]


def _refined(
    blocks: Iterable[Pcm],
    stretches: list[timeline.Stretch],
    centres: F32,
    embedder: VoiceEmbedder,
    progress: _Progress,
) -> list[timeline.Stretch]:
    places = [(i, refine.probes(stretches, i)) for i in refine.changes(stretches)]
    windows = [probe for _, probes in places for probe in probes]
    if not windows:
        return stretches
    vectors = embed(blocks, windows, embedder, progress)
    if not vectors.size:
        return stretches
    likeness = vectors @ centres.T
    at = 0
    for position, probes in places:
        part = likeness[at : at + len(probes)]
        at += len(probes)
        if len(probes) > 1:
            stretches = refine.move(stretches, position, probes, part)
    return stretches


class _Progress:
    """Reports the fraction of the whole work, now and then."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._first, self._size = 0.0, 0.0
        self._fraction = 0.0
        self._told = time.monotonic()

    def part(self, first: float, last: float) -> None:
        """From now on fractions are those of this part of the work."""
        self._first, self._size = first, last - first

    def tell(self, fraction: float | None = None) -> None:
        """`fraction` 0..1 of the part; None where nothing is known but that the work goes on."""
        if fraction is not None:
            self._fraction = max(self._fraction, self._first + fraction * self._size)
        if time.monotonic() - self._told > REPORT_EVERY_SECONDS:
            self._told = time.monotonic()
            self._report(self._fraction)
