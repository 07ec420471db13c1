"""What was heard, as the server shapes it, and as people read it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.asr.types import EngineSpec, Notice, Segment, Transcription
from app.services.transcripts.codec import pack_segment, segment_id, segment_view


def speaker_label(speaker: str) -> str:
    """What a text calls a speaker: Left and Right of a stereo file, Speaker 1 of voices told apart."""
    number = speaker.removeprefix("S")
    return f"Speaker {number}" if number != speaker and number.isdigit() else speaker.capitalize()


def build_result(
    path: Path,
    spec: EngineSpec,
    heard: Transcription,
    windows: dict[int, Iterable[Segment]],
    notices: Iterable[Notice],
) -> dict[str, Any]:
    """The result of docs/api.md, without a job's id. `windows` holds the segments by window."""
    segments = [
        segment_view(segment_id(index, n), pack_segment(segment))
        for index in sorted(windows)
        for n, segment in enumerate(windows[index])
    ]
    segments.sort(key=lambda segment: (segment["start_ms"], segment["end_ms"]))
    speakers = dict.fromkeys(segment["speaker"] for segment in segments if segment["speaker"])
    return {
        "job_id": None,
        "filename": path.name,
        "complete": True,
        "language": heard.language,
        "duration_ms": heard.summary.duration_ms,
        "speech_ms": heard.summary.speech_ms,
        "covered_ms": None if heard.summary.speech_ms is None else heard.covered_ms,
        "gaps": [{"start_ms": start, "end_ms": end} for start, end in heard.gaps],
        "speakers": [{"id": name, "label": speaker_label(name), "name": None} for name in speakers],
        "engine": spec.engine,
        "model": spec.model,
        "low_accuracy": spec.low_accuracy,
        "text": " ".join(segment["text"] for segment in segments),
        "warnings": [{"code": n.code, "message": n.message} for n in notices],
        "segments": segments,
    }


def with_labels(result: dict[str, Any]) -> dict[str, Any]:
    """The result with speakers as people read them."""
    segments = [
        segment | {"speaker": speaker_label(segment["speaker"])} if segment["speaker"] else segment
        for segment in result["segments"]
    ]
    return result | {"segments": segments}
