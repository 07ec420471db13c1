"""Reads the audit log of a workspace, for who manages it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.pagination import Cursor
from app.db.session import SystemSession
from app.models import Job, MediaFile
from app.models.audit import AuditEntry
from app.models.users import User
from app.services.identity.roles import require_manager
from app.services.identity.workspaces import of_member


async def read_audit(
    session: SystemSession, user_id: UUID, workspace_id: UUID, *, limit: int, cursor: Cursor | None
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """A page, newest first. Raises `NotFoundError`, and `ForbiddenError` for members and viewers."""
    _, role = await of_member(session, user_id, workspace_id)
    require_manager(role)
    query = (
        sa.select(AuditEntry, User.email)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(AuditEntry.workspace_id == workspace_id)
    )
    if cursor is not None:
        place = sa.tuple_(AuditEntry.created_at, AuditEntry.id)
        query = query.where(
            place < sa.tuple_(sa.literal(cursor.created_at, AuditEntry.created_at.type), cursor.id)
        )
    query = query.order_by(AuditEntry.created_at.desc(), AuditEntry.id.desc()).limit(limit + 1)
    rows = (await session.execute(query)).all()
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = Cursor(rows[-1][0].created_at, rows[-1][0].id)
    names = await _names(session, workspace_id, [entry for entry, _ in rows])
    return [_view(entry, email, names.get(_recording(entry) or "")) for entry, email in rows], following


def _recording(entry: AuditEntry) -> str | None:
    """The id of the job or the file that an entry tells of; of a link, that of the job it leads to."""
    if entry.target_type in ("job", "file"):
        return entry.target_id
    linked = entry.detail.get("job_id")
    return str(linked) if linked else None


async def _names(session: SystemSession, workspace_id: UUID, entries: Sequence[AuditEntry]) -> dict[str, str]:
    """By id, what the recordings are called that are still there. The log itself holds no names."""
    ids = [UUID(found) for entry in entries if (found := _recording(entry))]
    names: dict[str, str] = {}
    for table in (Job, MediaFile):
        rows = await session.execute(
            sa.select(table.id, table.filename).where(table.workspace_id == workspace_id, table.id.in_(ids))
        )
        names |= {str(row.id): row.filename for row in rows}
    return names


def _view(entry: AuditEntry, email: str | None, target_name: str | None) -> dict[str, Any]:
    user = {"id": entry.user_id, "email": email} if entry.user_id else None
    names = ("id", "action", "api_key_id", "target_type", "target_id", "address", "created_at", "detail")
    return {"user": user, "target_name": target_name} | {name: getattr(entry, name) for name in names}
