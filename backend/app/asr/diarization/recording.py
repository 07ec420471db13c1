"""The work of the child process: one recording, read as a stream, into turns. Memory grows with the number of
windows (about 1 kB each), not with the samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
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
    """Turns inside the `regions` of speech, which are found first where None is given. Raises JobError."""
    speech = spans.join(find_speech(path, max_seconds) if regions is None else regions)
    if not speech:
        return []
    if wanted.speakers == 1 or (wanted.speakers is None and wanted.max_speakers == 1):
        return timeline.turns([(start, end, 0) for start, end in speech])
    windows = [window for region in speech for window in spans.windows(region)]
    vectors = embed(path, windows, embedder, max_seconds, _Share(report, 0.0, EMBEDDING_SHARE))
    told = ~np.isnan(vectors[:, 0]) if vectors.size else np.zeros(len(windows), bool)
    if not told.any():
        return timeline.turns([(start, end, 0) for start, end in speech])
    deciding = _deciding(windows, vectors, told, embedder.likeness)
    centres = clustering.centres(deciding, wanted, embedder.likeness)
    kept = [window for window, good in zip(windows, told, strict=True) if good]
    stretches = timeline.stretches(speech, kept, vectors[told] @ centres.T)
    stretches = _refined(path, stretches, centres, embedder, max_seconds, report)
    return timeline.turns(stretches)


def find_speech(path: Path, max_seconds: int) -> list[Region]:
    """Speech regions by voice detection."""
    detector, finder = SpeechDetector(), RegionFinder(RegionSettings())
    found: list[Region | None] = []
    samples = 0
    for block in _blocks(path, max_seconds):
        samples += block.size
        found += [finder.push(probability) for probability in detector.feed(block).tolist()]
    found += [finder.push(probability) for probability in detector.finish().tolist()]
    found.append(finder.finish(samples // spans.SAMPLES_PER_MS))
    return [region for region in found if region is not None]


def embed(
    path: Path, windows: Sequence[Region], embedder: VoiceEmbedder, max_seconds: int, report: Report
) -> F32:
    """The windows' vectors, shape (n, d); rows of NaN where nothing can be told; (n, 0) where nothing at all can."""
    rows: list[F32 | None] = [None] * len(windows)
    told = time.monotonic()
    for done, (i, pcm) in enumerate(spans.cut(_blocks(path, max_seconds), windows)):
        rows[i] = embedder.embed(pcm.astype(np.float32) / np.float32(32768))
        if time.monotonic() - told > REPORT_EVERY_SECONDS:
            told = time.monotonic()
            report(done / len(windows))
    size = next((row.size for row in rows if row is not None), 0)
    blank = np.full(size, np.nan, np.float32)
    return np.array([blank if row is None else row for row in rows], np.float32).reshape(len(windows), size)


def _blocks(path: Path, max_seconds: int) -> Iterator[npt.NDArray[np.int16]]:
    with open_source(path) as source:
        yield from SampleReader(source, max_seconds=max_seconds)


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
    path: Path,
    stretches: list[timeline.Stretch],
    centres: F32,
    embedder: VoiceEmbedder,
    max_seconds: int,
    report: Report,
) -> list[timeline.Stretch]:
    places = [(i, refine.probes(stretches, i)) for i in refine.changes(stretches)]
    windows = [probe for _, probes in places for probe in probes]
    if not windows:
        return stretches
    vectors = embed(path, windows, embedder, max_seconds, _Share(report, EMBEDDING_SHARE, 1.0))
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


class _Share:
    """Progress of one part of the work, as progress of the whole."""

    def __init__(self, report: Report, first: float, last: float) -> None:
        self._report, self._first, self._last = report, first, last

    def __call__(self, fraction: float) -> None:
        self._report(self._first + fraction * (self._last - self._first))
