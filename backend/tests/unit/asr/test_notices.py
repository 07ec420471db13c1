"""Which warnings a finished transcript carries."""

from __future__ import annotations

from typing import Any

import pytest

from app.asr.notices import doubtful_notice, final_notices, gaps_notice
from app.asr.types import Mode, Notice

CALM: dict[str, Any] = {
    "segments": 3,
    "mode": Mode.MONO,
    "low_accuracy": False,
    "speakers": False,
}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"segments": 0}, ["no_speech"]),
        ({"segments": 0, "gaps": [(0, 5_000)]}, ["gaps"]),
        ({"gaps": [(0, 5_000)], "doubtful": 2}, ["gaps", "doubtful"]),
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


def test_gaps_are_counted_and_timed() -> None:
    assert gaps_notice([]) is None
    one = gaps_notice([(65_000, 70_000)])
    assert one is not None
    assert one.message.startswith("One stretch of 5 seconds at 1:05 has speech without text")
    two = gaps_notice([(3_700_000, 3_702_500), (10_000, 20_000), (20_500, 24_000)])
    assert two is not None
    assert two.message.startswith("2 stretches of 16 seconds in all, the first at 0:10, have speech")


def test_doubtful_passages_are_counted() -> None:
    assert doubtful_notice(0) is None
    for count, start in ((1, "One passage is doubtful"), (7, "7 passages are doubtful")):
        notice = doubtful_notice(count)
        assert notice is not None
        assert notice.message.startswith(start)


def test_the_reason_why_speakers_are_not_told_apart_is_said() -> None:
    asked = CALM | {"mode": Mode.DIALOGUE, "speaker_reason": "A package is missing."}
    (notice,) = final_notices([], **asked)
    assert (notice.code, notice.message.endswith("A package is missing.")) == ("no_speakers", True)
