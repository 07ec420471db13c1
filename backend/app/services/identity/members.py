"""Who belongs to a workspace, and in which role. Every change holds the workspace's row, so that none of two changes at
once takes away the last owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.core.errors import ConflictError, NotFoundError
from app.db.session import SystemSession
from app.models.api_keys import ApiKey
from app.models.users import User
from app.models.workspaces import Membership, Role
from app.services import audit
from app.services.identity.roles import require_over
from app.services.identity.workspaces import of_member, require_another


@dataclass(frozen=True, slots=True)
class Member:
    """One user in one workspace."""

    user_id: UUID
    email: str
    name: str | None
    role: Role
    joined_at: datetime


async def list_members(session: SystemSession, user_id: UUID, workspace_id: UUID) -> list[Member]:
    """Newest first, for members of any role. Raises `NotFoundError` for everybody else."""
    await of_member(session, user_id, workspace_id)
    rows = await session.execute(_members(workspace_id).order_by(Membership.created_at.desc(), User.id))
    return [_member(row) for row in rows]


async def change_role(
    session: SystemSession, user_id: UUID, workspace_id: UUID, member_id: UUID, role: Role
) -> Member:
    """Raises `NotFoundError`, `ForbiddenError`, and `ConflictError` where it would leave no owner."""
    _, own = await of_member(session, user_id, workspace_id, lock=True)
    member = await _one(session, workspace_id, member_id)
    require_over(own, member.role, role)
    if member.role == Role.OWNER and role != Role.OWNER:
        await _require_another_owner(session, workspace_id)
    await session.execute(
        sa.update(Membership)
        .where(Membership.workspace_id == workspace_id, Membership.user_id == member_id)
        .values(role=role)
    )
    audit.record(
        session,
        "member.role_changed",
        workspace_id=workspace_id,
        target=("user", member_id),
        role=role,
        before=member.role,
    )
    return await _one(session, workspace_id, member_id)


async def remove_member(session: SystemSession, user_id: UUID, workspace_id: UUID, member_id: UUID) -> None:
    """Their access and their keys end with this transaction. Raises as `change_role` does."""
    _, own = await of_member(session, user_id, workspace_id, lock=True)
    member = await _one(session, workspace_id, member_id)
    if member_id == user_id:
        raise ConflictError("Leave the workspace instead of removing yourself.")
    require_over(own, member.role)
    if member.role == Role.OWNER:
        await _require_another_owner(session, workspace_id)
    await _remove(session, workspace_id, member_id)
    audit.record(session, "member.removed", workspace_id=workspace_id, target=("user", member_id))


async def leave_workspace(session: SystemSession, user_id: UUID, workspace_id: UUID) -> None:
    """Raises `ConflictError` for the last owner, and for the user's only workspace."""
    _, own = await of_member(session, user_id, workspace_id, lock=True)
    if own == Role.OWNER:
        await _require_another_owner(session, workspace_id)
    await require_another(session, user_id)
    await _remove(session, workspace_id, user_id)
    audit.record(session, "member.left", workspace_id=workspace_id, target=("user", user_id))


async def _remove(session: SystemSession, workspace_id: UUID, user_id: UUID) -> None:
    await session.execute(
        sa.delete(ApiKey).where(ApiKey.workspace_id == workspace_id, ApiKey.user_id == user_id)
    )
    await session.execute(
        sa.delete(Membership).where(Membership.workspace_id == workspace_id, Membership.user_id == user_id)
    )


async def _require_another_owner(session: SystemSession, workspace_id: UUID) -> None:
    owners = await session.scalar(
        sa.select(sa.func.count())
        .select_from(Membership)
        .where(Membership.workspace_id == workspace_id, Membership.role == Role.OWNER)
    )
    if (owners or 0) < 2:
        raise ConflictError("A workspace needs an owner. Make somebody else an owner first.")


def _members(workspace_id: UUID) -> sa.Select[UUID, str, str, str, datetime]:
    return (
        sa.select(User.id, User.email, User.name, Membership.role, Membership.created_at)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == workspace_id)
    )


async def _one(session: SystemSession, workspace_id: UUID, user_id: UUID) -> Member:
    row = (await session.execute(_members(workspace_id).where(User.id == user_id))).one_or_none()
    if row is None:
        raise NotFoundError
    return _member(row)


def _member(row: sa.Row[UUID, str, str, str, datetime]) -> Member:
    return Member(row[0], row[1], row[2] or None, Role(row[3]), row[4])
