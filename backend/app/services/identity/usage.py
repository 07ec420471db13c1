"""What a workspace has used in a month, for its members and for the administrator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import InvalidInputError, NotFoundError
from app.core.pagination import Cursor
from app.db.session import SystemSession
from app.models.jobs import Job, JobStatus
from app.models.usage import UsageRecord, UsageState
from app.models.users import User
from app.models.workspaces import Membership, Role, Workspace
from app.services import audit
from app.services.identity.quotas import MINUTE_MS, count_members, minutes_used, month_of, storage_used
from app.services.identity.workspaces import of_member

_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


async def read_usage(
    session: SystemSession, user_id: UUID, workspace_id: UUID, month: str | None
) -> dict[str, Any]:
    """For members of any role. Raises `NotFoundError`, `InvalidInputError` for no month."""
    workspace, _ = await of_member(session, user_id, workspace_id)
    month = month or month_of(utcnow())
    if not _MONTH.fullmatch(month):
        raise InvalidInputError("A month looks like 2026-11.", field="query.month")
    minutes = await minutes_used(session, workspace_id, month)
    running = await session.scalar(
        sa.select(sa.func.count())
        .select_from(Job)
        .where(Job.workspace_id == workspace_id, Job.status == JobStatus.PROCESSING)
    )
    by_day = await _by_day(session, workspace_id, month)
    return {
        "month": month,
        "minutes": {
            "used": _minutes(minutes.used_ms),
            "reserved": _minutes(minutes.reserved_ms),
            "limit": workspace.quota_minutes,
        },
        "storage_bytes": {
            "used": await storage_used(session, workspace_id),
            "limit": workspace.quota_storage_bytes,
        },
        "parallel_jobs": {"running": running or 0, "limit": workspace.quota_parallel_jobs},
        "members": {
            "count": await count_members(session, workspace_id),
            "limit": workspace.quota_members,
        },
        "jobs": sum(day["jobs"] for day in by_day),
        "by_day": [{"date": day["date"], "minutes": day["minutes"]} for day in by_day],
    }


async def _by_day(session: SystemSession, workspace_id: UUID, month: str) -> list[dict[str, Any]]:
    """Days in UTC, added up by the database: a busy workspace has a hundred thousand jobs a month."""
    moment: Any = UsageRecord.created_at
    if session.get_bind().dialect.name == "postgresql":
        moment = sa.func.timezone("UTC", moment)  # else it would be a day of the server's own zone
    day = sa.cast(sa.func.date(moment), sa.Text).label("day")
    rows = await session.execute(
        sa.select(day, sa.func.sum(UsageRecord.audio_ms), sa.func.count())
        .where(
            UsageRecord.workspace_id == workspace_id,
            UsageRecord.month == month,
            UsageRecord.state == UsageState.SETTLED,
        )
        .group_by(day)
        .order_by(day)
    )
    return [{"date": date, "minutes": _minutes(int(amount)), "jobs": jobs} for date, amount, jobs in rows]


def _minutes(ms: int) -> float:
    return round(ms / MINUTE_MS, 2)


async def list_all_workspaces(
    session: SystemSession, *, q: str | None, limit: int, cursor: Cursor | None
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """Every workspace of this server with what it uses, newest first: figures, never words."""
    query = sa.select(Workspace).where(Workspace.deleted_at.is_(None))
    if q:
        query = query.where(Workspace.name.icontains(q, autoescape=True))
    if cursor is not None:
        place = sa.tuple_(Workspace.created_at, Workspace.id)
        query = query.where(
            place < sa.tuple_(sa.literal(cursor.created_at, Workspace.created_at.type), cursor.id)
        )
    query = query.order_by(Workspace.created_at.desc(), Workspace.id.desc()).limit(limit + 1)
    found: Sequence[Workspace] = (await session.execute(query)).scalars().all()
    following = None
    if len(found) > limit:
        found = found[:limit]
        following = Cursor(found[-1].created_at, found[-1].id)
    return [await _row(session, workspace) for workspace in found], following


async def set_quotas(
    session: SystemSession, workspace_id: UUID, changes: dict[str, int | None]
) -> dict[str, Any]:
    """New limits; None takes one away. What is used already stays, and only what comes next is refused."""
    workspace = await session.get(Workspace, workspace_id, with_for_update={"key_share": True})
    if workspace is None or workspace.deleted_at is not None:
        raise NotFoundError
    for name, value in changes.items():
        setattr(workspace, f"quota_{name}", value)
    audit.record(
        session,
        "workspace.quotas_changed",
        workspace_id=workspace_id,
        target=("workspace", workspace_id),
        quotas=changes,
    )
    await session.flush()
    return await _row(session, workspace)


async def _row(session: SystemSession, workspace: Workspace) -> dict[str, Any]:
    owner = await session.scalar(
        sa.select(User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == workspace.id, Membership.role == Role.OWNER)
        .order_by(Membership.created_at)
        .limit(1)
    )
    minutes = await minutes_used(session, workspace.id, month_of(utcnow()))
    return {
        "id": workspace.id,
        "name": workspace.name,
        "owner_email": owner,
        "members": await count_members(session, workspace.id),
        "quotas": {
            "minutes": workspace.quota_minutes,
            "storage_bytes": workspace.quota_storage_bytes,
            "parallel_jobs": workspace.quota_parallel_jobs,
            "members": workspace.quota_members,
        },
        "minutes_used": _minutes(minutes.used_ms),
        "storage_bytes": await storage_used(session, workspace.id),
        "created_at": workspace.created_at,
    }
