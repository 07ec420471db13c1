"""Reads a job's history for the members of its workspace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.pagination import Cursor
from app.db.session import TenantSession
from app.models import HistoryEntry, Job, JobWindow, Membership, User


async def read_history(
    session: TenantSession, job: Job, *, limit: int, cursor: Cursor | None
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """A page, newest first, and where the next begins. Names are those of present members; others are ids only."""
    query = (
        sa.select(HistoryEntry, User.name, User.email)
        .outerjoin(
            Membership,
            sa.and_(
                Membership.user_id == HistoryEntry.user_id,
                Membership.workspace_id == session.workspace_id,
            ),
        )
        .outerjoin(User, User.id == Membership.user_id)
        .where(HistoryEntry.job_id == job.id)
    )
    if cursor is not None:
        place = sa.tuple_(HistoryEntry.created_at, HistoryEntry.id)
        query = query.where(
            place
            < sa.tuple_(
                sa.literal(cursor.created_at, HistoryEntry.created_at.type),
                sa.literal(cursor.id, HistoryEntry.id.type),
            )
        )
    query = query.order_by(HistoryEntry.created_at.desc(), HistoryEntry.id.desc()).limit(limit + 1)
    rows = (await session.execute(query)).all()
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = Cursor(rows[-1][0].created_at, rows[-1][0].id)
    return [_view(entry, name, email) for entry, name, email in rows], following


async def read_tries(session: TenantSession, job: Job) -> dict[str, int]:
    """How often what went wrong, as it counts towards giving the job up."""
    crashes = await session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(JobWindow.crashes), 0)).where(
            JobWindow.job_id == job.id, JobWindow.run == job.run
        )
    )
    return {
        "attempt": job.attempt,
        "engine_errors": job.engine_errors,
        "engine_crashes": int(crashes or 0),
        "host_losses": job.host_losses,
    }


def _view(entry: HistoryEntry, name: str | None, email: str | None) -> dict[str, Any]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "at": entry.created_at,
        "attempt": entry.attempt,
        "by": _person(entry.user_id, name, email),
        "by_api_key": entry.api_key_id is not None,
        **entry.detail,
    }


def _person(user_id: UUID | None, name: str | None, email: str | None) -> dict[str, Any] | None:
    return None if user_id is None else {"id": user_id, "name": name or None, "email": email}
