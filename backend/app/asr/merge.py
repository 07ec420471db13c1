"""Puts segments of several channels into one order, and names their speakers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.asr.types import Segment, Window, WindowResult

CHANNEL_SPEAKERS = ("left", "right")


def in_time_order(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """By start, then by end; segments that begin and end together stay as they came."""
    return tuple(sorted(segments, key=lambda segment: (segment.start_ms, segment.end_ms)))


def with_channel_speaker(window: Window, result: WindowResult) -> WindowResult:
    """The result with the speaker of the window's channel on each segment; as it is for a window of no channel."""
    if window.channel is None:
        return result
    speaker = CHANNEL_SPEAKERS[window.channel]
    return replace(result, segments=tuple(replace(segment, speaker=speaker) for segment in result.segments))
