"""Which jobs a list means, a page at a time; the same for reading them and for acting on many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.pagination import Cursor
from app.db.session import TenantSession
from app.models import Job

MAX_COUNT = 10_000  # counting further would read a whole workspace for a number nobody reads


@dataclass(frozen=True, slots=True)
class JobFilter:
    """In any of `statuses`, or all. `q` is part of a file name, whatever its case. `created_before` leaves out what has
    come since a person looked."""

    statuses: Sequence[str] = ()
    q: str | None = None
    created_before: datetime | None = None


async def page_of(
    session: TenantSession, wanted: JobFilter, *, limit: int, cursor: Cursor | None
) -> tuple[list[Job], Cursor | None]:
    """Newest first, and where the next page begins."""
    statement = sa.select(Job).where(*_conditions(session, wanted))
    if cursor is not None:
        statement = statement.where(sa.tuple_(Job.created_at, Job.id) < sa.tuple_(*_bound(cursor)))
    rows = await session.execute(statement.order_by(Job.created_at.desc(), Job.id.desc()).limit(limit + 1))
    jobs = list(rows.scalars())
    following = None
    if len(jobs) > limit:
        jobs = jobs[:limit]
        following = Cursor(jobs[-1].created_at, jobs[-1].id)
    return jobs, following


async def count_of(session: TenantSession, wanted: JobFilter) -> int:
    """How many there are, up to MAX_COUNT + 1."""
    first = sa.select(Job.id).where(*_conditions(session, wanted)).limit(MAX_COUNT + 1).subquery()
    found: int = (await session.execute(sa.select(sa.func.count()).select_from(first))).scalar_one()
    return found


def _conditions(session: TenantSession, wanted: JobFilter) -> list[Any]:
    # The mixin's filter is there too; said again so that the planner takes the (workspace, time) index.
    conditions: list[Any] = [Job.workspace_id == session.workspace_id]
    if wanted.statuses:
        conditions.append(Job.status.in_(wanted.statuses))
    if wanted.q:
        conditions.append(Job.filename.icontains(wanted.q, autoescape=True))
    if wanted.created_before is not None:
        conditions.append(Job.created_at < wanted.created_before)
    return conditions


def _bound(cursor: Cursor) -> tuple[Any, Any]:
    return (
        sa.literal(cursor.created_at, Job.created_at.type),
        sa.literal(cursor.id, Job.id.type),
    )
