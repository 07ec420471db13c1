"""The local-only mode: text files are their own transcripts, others are explained."""

from __future__ import annotations

from pathlib import Path

from app.asr.engines.stub import MAX_TEXT_BYTES, stub_transcription


def test_a_text_is_its_own_transcript(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_text("\ufeffПервый абзац,\nвторая строка.\n\n\nSecond paragraph.\n", encoding="utf-8")
    result = stub_transcription(path, "Заметки.TXT")
    assert [segment.text for segment in result.segments] == [
        "Первый абзац, вторая строка.",
        "Second paragraph.",
    ]
    clock = 0
    for segment in result.segments:
        assert clock <= segment.start_ms < segment.end_ms
        clock = segment.end_ms
    assert result.summary.duration_ms == clock
    assert len(result.summary.sha256) == 64


def test_anything_else_gets_a_placeholder(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(b"\xff\xfe\x00binary")
    for name in ("talk.mp3", "latin1.txt"):
        [segment] = stub_transcription(path, name).segments
        assert name in segment.text
        assert "placeholder" in segment.text


def test_reading_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes("й".encode() * (MAX_TEXT_BYTES // 2 + 100) + b"\xff")
    [segment] = stub_transcription(path, "long.txt").segments
    assert len(segment.text) <= MAX_TEXT_BYTES // 2
