"""Content-Disposition for any name, and which types are shown at all."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from app.storage.disposition import INLINE_TYPES, content_disposition, served_as

NAMES = [
    "a.mp3", "Запись встречи.m4a", "تسجيل.wav", "会議の録音.flac", "🎙️ talk.mp3", 'she said "hi".mp3', "semi;colon=1.mp3",
    "back\\slash.mp3", "line\r\nSet-Cookie: a=b.mp3", "percent%20%0d%0a.mp3", "-i.mp3", "  ", "a" * 255,
    "é.mp3", "\x7f.mp3",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_survive_and_break_nothing(name: str) -> None:
    header = content_disposition("attachment", name)
    assert header.isascii()
    assert header.isprintable()
    plain, _, encoded = header.removeprefix('attachment; filename="').partition("\"; filename*=UTF-8''")
    assert plain
    assert not set(plain) & set('"\\;%')
    assert unquote(encoded) == name


def test_only_types_that_play_are_shown() -> None:
    assert served_as("audio/mpeg", "a.mp3", download=False)[1].startswith("inline")
    assert served_as("audio/mpeg", "a.mp3", download=True)[1].startswith("attachment")
    for other in ("text/html", "image/svg+xml", "application/xhtml+xml", "audio/unknown", "", "text/plain"):
        content_type, disposition = served_as(other, "a.html", download=False)
        assert content_type == "application/octet-stream"
        assert disposition.startswith("attachment")
    assert all(kind.startswith(("audio/", "video/")) for kind in INLINE_TYPES)
