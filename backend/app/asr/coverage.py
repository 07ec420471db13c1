"""Speech that was found against speech that has text: how much is covered, and where the gaps are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.asr.types import FLAGS, Segment, Window, WindowResult

Region = tuple[int, int]  # start_ms, end_ms

GAP_MS = 2_000  # less speech without text than this is a breath, a cough or an edge of the detection
SLACK_MS = 500  # engines place words late and early by as much, and speech goes on between two words
JOIN_MS = 1_500  # stretches with no more silence between them are one gap
DOUBTS = frozenset(FLAGS) - {"hard_cut"}  # a cut inside speech may cost a word; it makes no passage doubtful


def measure(
    window: Window, segments: Sequence[Segment], over_ms: int = GAP_MS
) -> tuple[int, tuple[Region, ...]]:
    """How many ms of the window's speech have text, and the gaps: stretches with more than `over_ms` of speech and no
    words. Where no regions are known (`vad` off) nothing is known to be missing: the window counts as covered."""
    if not window.speech:
        return window.duration_ms, ()
    missing = subtract(window.speech, _texts(segments))
    covered = total(window.speech) - total(missing)
    gaps = []
    for group in _groups(missing, segments):
        if total(group) > over_ms:
            gaps.append((group[0][0], group[-1][1]))
    return covered, tuple(gaps)


def assess(window: Window, result: WindowResult) -> WindowResult:
    """The result with `covered_ms` and `gaps`. A window that was given up is a gap over all its speech."""
    if result.error is not None:
        hull = (
            (window.speech[0][0], window.speech[-1][1]) if window.speech else (window.start_ms, window.end_ms)
        )
        return replace(result, covered_ms=0, gaps=(hull,))
    covered, gaps = measure(window, result.segments)
    return replace(result, covered_ms=covered, gaps=gaps)


def join_gaps(gaps: Iterable[Sequence[int]]) -> tuple[Region, ...]:
    """The gaps of many windows in order; those that overlap or lie within JOIN_MS are one."""
    joined: list[Region] = []
    for start, end in sorted((gap[0], gap[1]) for gap in gaps):
        if joined and start - joined[-1][1] <= JOIN_MS:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def is_doubtful(flags: Iterable[str]) -> bool:
    """Whether a segment with these flags should be listened to before it is trusted."""
    return not DOUBTS.isdisjoint(flags)


def total(regions: Iterable[Region]) -> int:
    """Milliseconds in regions that do not overlap."""
    return sum(end - start for start, end in regions)


def subtract(regions: Sequence[Region], others: Sequence[Region]) -> list[Region]:
    """What of `regions` lies in none of `others`; both in order, the others without overlap."""
    left: list[Region] = []
    for start, end in regions:
        at = start
        for low, high in others:
            if high <= at or low >= end:
                continue
            if low > at:
                left.append((at, low))
            at = max(at, high)
        if at < end:
            left.append((at, end))
    return left


def _texts(segments: Sequence[Segment]) -> list[Region]:
    """Where the text is, grown by SLACK_MS at both ends: by words where there are some. Dots alone are no text."""
    spans = [
        (part.start_ms - SLACK_MS, part.end_ms + SLACK_MS)
        for segment in segments
        if any(character.isalnum() for character in segment.text)
        for part in (segment.words or (segment,))
    ]
    return merge(spans)


def merge(regions: Iterable[Region]) -> list[Region]:
    """The same moments as regions in order without overlap."""
    merged: list[Region] = []
    for start, end in sorted(regions):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _groups(missing: Sequence[Region], segments: Sequence[Segment]) -> list[list[Region]]:
    """Uncovered stretches that belong together: little silence and no text between them."""
    texts = _texts(segments)
    groups: list[list[Region]] = []
    for region in missing:
        before = groups[-1][-1][1] if groups else None
        if (
            before is not None
            and region[0] - before <= JOIN_MS
            and not any(low < region[0] and high > before for low, high in texts)
        ):
            groups[-1].append(region)
        else:
            groups.append([region])
    return groups
