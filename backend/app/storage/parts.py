"""Whether what arrived of an upload is what was planned: the same answers from every store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.core.errors import ConflictError, ForbiddenError
from app.storage.base import PlannedPart, StoredPart


def check_parts(
    planned: Sequence[PlannedPart], arrived: Sequence[StoredPart], etags: Mapping[int, str] | None
) -> None:
    """Raises `ConflictError` naming what is missing, or differs from what the client says it sent (`etags`)."""
    there = {part.number: part for part in arrived}
    missing = [p.number for p in planned if p.number not in there or there[p.number].size != p.size]
    if missing and len(planned) == 1:
        raise ConflictError("The file has not arrived yet.")
    if missing:
        listed = ", ".join(map(str, missing[:5])) + (" and more" if len(missing) > 5 else "")
        word = "Part" if len(missing) == 1 else "Parts"
        raise ConflictError(f"{word} {listed} of {len(planned)} did not arrive.")
    if etags is not None and (wrong := [n for n, part in there.items() if etags.get(n) != part.etag]):
        raise ConflictError(f"Part {wrong[0]} is not the one that arrived: its ETag differs or is not given.")
    if etags is not None and len(etags) != len(planned):
        raise ConflictError(f"This upload has {len(planned)} parts; {len(etags)} were named.")


def closed() -> ForbiddenError:
    return ForbiddenError("This upload is finished, cancelled or expired, so nothing can be added to it.")


def cancelled() -> ConflictError:
    return ConflictError("This upload was cancelled or has expired. Start it again.")
