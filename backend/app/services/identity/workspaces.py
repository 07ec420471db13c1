"""Whose workspace it is: everybody's own one, memberships, and the settings that hold for all its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from app.core.errors import ForbiddenError, NotFoundError
from app.db.session import SystemSession
from app.models.users import User
from app.models.workspaces import Membership, Role, Workspace

MANAGERS = frozenset({Role.OWNER, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class MemberWorkspace:
    """A workspace as one of its members sees it."""

    id: UUID
    name: str
    role: Role


async def create_own_workspace(session: SystemSession, user: User) -> Workspace:
    """Every user owns a workspace from the first minute; it is the one requests mean by default."""
    workspace = Workspace(name=f"{user.name or user.email.partition('@')[0]}'s workspace")
    session.add(workspace)
    await session.flush()
    session.add(Membership(workspace_id=workspace.id, user_id=user.id, role=Role.OWNER))
    await session.flush()
    return workspace


async def list_workspaces(session: SystemSession, user_id: UUID) -> list[MemberWorkspace]:
    """The user's own first, then the others, oldest membership first."""
    rows = await session.execute(
        sa.select(Workspace.id, Workspace.name, Membership.role)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.role != Role.OWNER, Membership.created_at, Membership.workspace_id)
    )
    return [MemberWorkspace(row.id, row.name, Role(row.role)) for row in rows]


async def resolve_workspace(session: SystemSession, user_id: UUID, wanted: str | None) -> MemberWorkspace:
    """The wanted workspace, or the user's own where none is named.

    Unknown, malformed and other people's ids raise the same `NotFoundError`.
    """
    workspaces = await list_workspaces(session, user_id)
    if wanted is None:
        if workspaces:
            return workspaces[0]
        raise NotFoundError
    try:
        wanted_id = UUID(wanted)
    except ValueError:
        raise NotFoundError from None
    for workspace in workspaces:
        if workspace.id == wanted_id:
            return workspace
    raise NotFoundError


async def read_workspace(session: SystemSession, user_id: UUID, workspace_id: UUID) -> Workspace:
    """The workspace for one of its members, of any role. Raises `NotFoundError` for everybody else."""
    return (await _of_member(session, user_id, workspace_id))[0]


async def change_workspace(
    session: SystemSession,
    user_id: UUID,
    workspace_id: UUID,
    *,
    allow_cloud: bool | None = None,
    vocabulary: Sequence[str] | None = None,
    prompt: str | None = None,
) -> Workspace:
    """New settings for jobs that are made from now on; `allow_cloud` holds for waiting ones too. None leaves a
    setting as it is. Raises `NotFoundError`, and `ForbiddenError` for who is neither owner nor admin."""
    workspace, role = await _of_member(session, user_id, workspace_id)
    if role not in MANAGERS:
        raise ForbiddenError("Only owners and admins of a workspace can change its settings.")
    if allow_cloud is not None:
        workspace.allow_cloud = allow_cloud
    if vocabulary is not None:
        workspace.vocabulary = list(dict.fromkeys(vocabulary))
    if prompt is not None:
        workspace.prompt = prompt.strip()
    await session.flush()
    return workspace


async def _of_member(session: SystemSession, user_id: UUID, workspace_id: UUID) -> tuple[Workspace, Role]:
    row = (
        await session.execute(
            sa.select(Workspace, Membership.role)
            .join(Membership, Membership.workspace_id == Workspace.id)
            .where(Workspace.id == workspace_id, Membership.user_id == user_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError
    return row[0], Role(row[1])
