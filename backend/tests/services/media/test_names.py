"""Display names and what they say about a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.media.names import clean_name, content_type, human_size


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("a.mp3", "a.mp3"),
        ("Запись.m4a", "Запись.m4a"),
        ("تسجيل صوتي.wav", "تسجيل صوتي.wav"),
        ("👩‍👩‍👧.mp3", "👩‍👩‍👧.mp3"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\talk.mp3", "talk.mp3"),
        ("a\0b\r\nc.mp3", "abc.mp3"),
        ("evil\u202e3pm.exe", "evil3pm.exe"),
        ("\u2067x\u2069.mp3", "x.mp3"),
        ("cafe\u0301.mp3", "café.mp3"),
        ("half\ud800.mp3", "half?.mp3"),
        ("-i", "-i"),
        (";id", ";id"),
        ("", "recording"),
        ("..", "recording"),
        ("/", "recording"),
        (" \t ", "recording"),
    ],
)
def test_clean_name(given_name: str, shown: str) -> None:
    assert clean_name(given_name) == shown


def test_long_names_keep_their_extension() -> None:
    assert clean_name("x" * 4096 + ".mp3") == "x" * 251 + ".mp3"
    cyrillic = clean_name("ж" * 4096 + ".flac")
    assert cyrillic == "ж" * 125 + ".flac"
    assert len(clean_name("🎙" * 4096).encode()) == 252
    assert len(clean_name("x." + "y" * 4096).encode()) == 255


@given(st.text(alphabet=st.characters(), max_size=600))
def test_any_name_comes_out_short_clean_and_stable(name: str) -> None:
    clean = clean_name(name)
    assert 0 < len(clean.encode()) <= 255
    assert not set(clean) & set("/\\\0\r\n\u202e")
    assert clean_name(clean) == clean


@pytest.mark.parametrize(
    ("declared", "name", "expected"),
    [
        ("audio/mpeg", "x", "audio/mpeg"),
        ("audio/x-wav", "x", "audio/wav"),
        ("audio/webm;codecs=opus", "x", "audio/webm"),
        ("text/html", "x.mp3", "audio/mpeg"),
        ("image/svg+xml", "x.svg", "application/octet-stream"),
        (None, "x.MKV", "video/x-matroska"),
        ("", "x", "application/octet-stream"),
        ("audio/x\r\nSet-Cookie: a", "x.ogg", "audio/ogg"),
        (None, "notes.txt", "text/plain"),
    ],
)
def test_content_type(declared: str | None, name: str, expected: str) -> None:
    assert content_type(declared, name) == expected


def test_human_size() -> None:
    assert [human_size(n) for n in (12, 1024, 1536, 5 * 1024**3)] == ["12 bytes", "1 KiB", "1.5 KiB", "5 GiB"]
