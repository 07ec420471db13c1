"""Which warnings a finished transcript carries."""

from __future__ import annotations

from typing import Any

import pytest

from app.asr.notices import final_notices
from app.asr.types import Mode, Notice

CALM: dict[str, Any] = {
    "segments": 3,
    "failed_windows": 0,
    "mode": Mode.MONO,
    "low_accuracy": False,
    "speakers": False,
}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"segments": 0}, ["no_speech"]),
        ({"segments": 0, "failed_windows": 2}, ["gaps"]),
        ({"mode": Mode.DIALOGUE}, ["no_speakers"]),
        ({"mode": Mode.DIALOGUE, "speakers": True}, []),
        ({"low_accuracy": True}, ["low_accuracy"]),
    ],
)
def test_notices(changes: dict[str, Any], codes: list[str]) -> None:
    assert [n.code for n in final_notices([], **CALM | changes)] == codes


def test_what_decoding_found_stays_and_is_not_said_twice() -> None:
    found = [Notice("media_truncated", "cut"), Notice("no_speech", "silent")]
    assert final_notices(found, **CALM | {"segments": 0}) == tuple(found)
