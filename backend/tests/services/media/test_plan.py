"""Sizes into parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.media.plan import MIB, plan_upload


@pytest.mark.parametrize(
    ("size", "part_size", "count"),
    [
        (1, 1, 1),
        (8 * MIB, 8 * MIB, 1),
        (8 * MIB + 1, 8 * MIB, 2),
        (5 * 1024 * MIB, 8 * MIB, 640),
        (72_000 * MIB, 8 * MIB, 9000),
        (72_000 * MIB + 1, 9 * MIB, 8001),
    ],
)
def test_plan(size: int, part_size: int, count: int) -> None:
    plan = plan_upload(size)
    assert (plan.part_size, plan.part_count) == (part_size, count)


@given(st.integers(1, 5 * 1024**4))
def test_parts_cover_the_file_exactly(size: int) -> None:
    plan = plan_upload(size)
    first, last = plan.part(1), plan.part(plan.part_count)
    assert (first.offset, last.offset + last.size) == (0, size)
    assert 0 < last.size <= plan.part_size
    assert plan.part_count <= 9000
    assert plan.is_single or plan.part_size % MIB == 0
    for outside in (0, plan.part_count + 1, -1):
        with pytest.raises(IndexError):
            plan.part(outside)
