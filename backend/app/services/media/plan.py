"""How a file of a given size is cut into parts. Pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from app.storage.base import PlannedPart

MIB = 1024 * 1024
SINGLE_MAX = 8 * MIB
_MIN_PART = 8 * MIB
_MAX_PARTS = 9000  # buckets take 10 000


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """`part_size` is the length in bytes of every part but the last; a single PUT is one part."""

    size: int
    part_size: int
    part_count: int

    @property
    def is_single(self) -> bool:
        return self.part_count == 1

    def part(self, number: int) -> PlannedPart:
        """Part `number`, from 1. Raises `IndexError` for one that is not in the plan."""
        if not 1 <= number <= self.part_count:
            raise IndexError(number)
        offset = (number - 1) * self.part_size
        return PlannedPart(number, offset, min(self.part_size, self.size - offset))

    def parts(self) -> list[PlannedPart]:
        return [self.part(number) for number in range(1, self.part_count + 1)]


def plan_upload(size: int) -> UploadPlan:
    """One PUT up to 8 MiB, else parts of at least 8 MiB, whole MiB, at most 9000 of them."""
    if size <= SINGLE_MAX:
        return UploadPlan(size, size, 1)
    part_size = max(_MIN_PART, math.ceil(Fraction(size, _MAX_PARTS * MIB)) * MIB)
    return UploadPlan(size, part_size, -(-size // part_size))
