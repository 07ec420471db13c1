"""Speech values to and from plain JSON objects: for pipes between processes, checkpoints and files."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.asr.types import (
    EngineSpec,
    MediaSummary,
    Mode,
    Notice,
    Segment,
    TranscribeOptions,
    Vad,
    Window,
    WindowOptions,
    WindowResult,
    Word,
)

Json = dict[str, Any]


def window_to_json(window: Window) -> Json:
    """A window as a JSON object."""
    return asdict(window)


def window_from_json(data: Json) -> Window:
    """The window that `window_to_json` wrote."""
    return Window(
        index=data["index"],
        start_ms=data["start_ms"],
        end_ms=data["end_ms"],
        speech=tuple((start, end) for start, end in data["speech"]),
        hard_cut=data["hard_cut"],
        channel=data.get("channel"),
    )


def window_options_to_json(options: WindowOptions) -> Json:
    """What an engine is told, as a JSON object."""
    return asdict(options)


def window_options_from_json(data: Json) -> WindowOptions:
    """The options that `window_options_to_json` wrote."""
    return WindowOptions(**{**data, "vocabulary": tuple(data["vocabulary"])})


def segment_to_json(segment: Segment) -> Json:
    """A segment as a JSON object; words are `[text, start_ms, end_ms, confidence]`."""
    data = {name: getattr(segment, name) for name in ("start_ms", "end_ms", "text", "confidence", "speaker")}
    data["words"] = [[w.text, w.start_ms, w.end_ms, w.confidence] for w in segment.words]
    data["flags"] = list(segment.flags)
    return data


def segment_from_json(data: Json) -> Segment:
    """The segment that `segment_to_json` wrote."""
    return Segment(
        start_ms=data["start_ms"],
        end_ms=data["end_ms"],
        text=data["text"],
        words=tuple(Word(*word) for word in data["words"]),
        confidence=data["confidence"],
        speaker=data["speaker"],
        flags=tuple(data["flags"]),
    )


def result_to_json(result: WindowResult) -> Json:
    """A window's result as a JSON object."""
    return {
        "segments": [segment_to_json(segment) for segment in result.segments],
        "language": result.language,
        "engine_ms": result.engine_ms,
        "error": result.error,
        "covered_ms": result.covered_ms,
        "gaps": [list(gap) for gap in result.gaps],
        "reruns": result.reruns,
        "invented": result.invented,
    }


def result_from_json(data: Json) -> WindowResult:
    """The result that `result_to_json` wrote."""
    return WindowResult(
        segments=tuple(segment_from_json(segment) for segment in data["segments"]),
        language=data["language"],
        engine_ms=data["engine_ms"],
        error=data.get("error"),
        covered_ms=data["covered_ms"],
        gaps=tuple((start, end) for start, end in data["gaps"]),
        reruns=data["reruns"],
        invented=data.get("invented", 0),
    )


def summary_to_json(summary: MediaSummary) -> Json:
    """A media summary as a JSON object."""
    return asdict(summary)


def summary_from_json(data: Json) -> MediaSummary:
    """The summary that `summary_to_json` wrote."""
    return MediaSummary(**{**data, "notices": tuple(Notice(**notice) for notice in data["notices"])})


def spec_to_json(spec: EngineSpec) -> Json:
    """An engine spec as a JSON object."""
    return asdict(spec)


def spec_from_json(data: Json) -> EngineSpec:
    """The spec that `spec_to_json` wrote."""
    return EngineSpec(**data)


def options_to_json(options: TranscribeOptions) -> Json:
    """A job's options as a JSON object."""
    return asdict(options)


def options_from_json(data: Json) -> TranscribeOptions:
    """The options that `options_to_json` wrote."""
    return TranscribeOptions(
        **{
            **data,
            "mode": Mode(data["mode"]),
            "vad": Vad(data["vad"]),
            "vocabulary": tuple(data["vocabulary"]),
        }
    )
