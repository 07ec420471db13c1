"""The table of retries of the Standard Webhooks specification."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.services.integrations.schedule import PAUSES, pause_after, read_wish

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_ten_tries_in_three_days() -> None:
    assert len(PAUSES) == 9
    assert timedelta(days=3) < sum(PAUSES, timedelta()) < timedelta(days=3, hours=4)
    assert [pause_after(n, uniform=lambda _a, _b: 1.0) for n in range(1, 11)] == [*PAUSES, None]


def test_jitter_is_a_tenth_either_way() -> None:
    found = {pause_after(2) for _ in range(50)}
    assert len(found) > 10
    assert all(timedelta(minutes=4.5) <= pause <= timedelta(minutes=5.5) for pause in found if pause)


def test_a_wish_makes_a_pause_longer_and_never_shorter() -> None:
    assert pause_after(1, timedelta(hours=1)) == timedelta(hours=1)
    pause = pause_after(4, timedelta(seconds=1))
    assert pause is not None
    assert pause > timedelta(hours=1)
    assert pause_after(1, timedelta(days=30)) == timedelta(hours=24)
    assert pause_after(10, timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("120", timedelta(seconds=120)),
        ("Sat, 28 Nov 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Sat, 28 Nov 2026 11:00:00 GMT", timedelta()),
        ("99999999999999999999", timedelta(hours=24)),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("²", None),
    ],
)
def test_retry_after_in_both_forms_and_none(text: str | None, wish: timedelta | None) -> None:
    assert read_wish(text, NOW) == wish
