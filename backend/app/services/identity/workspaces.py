"""Workspaces themselves: everybody's own one and those made later; who they are for is in `members`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from app.db.session import SystemSession
from app.models.users import User
from app.models.workspaces import Membership, Role, Workspace
from app.services import audit
from app.services.identity.roles import require_manager

MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class MemberWorkspace:
    """A workspace as one of its members sees it; `members` counts them."""

    id: UUID
    name: str
    role: Role
    members: int
    created_at: datetime


async def create_own_workspace(session: SystemSession, user: User) -> Workspace:
    """Every user owns a workspace from the first minute; it is the one requests mean by default."""
    return await _add(session, user.id, f"{user.name or user.email.partition('@')[0]}'s workspace")


async def create_workspace(session: SystemSession, user_id: UUID, name: str) -> MemberWorkspace:
    """Another one, of which the user is the owner."""
    workspace = await _add(session, user_id, _checked(name))
    audit.record(session, "workspace.created", workspace_id=workspace.id, target=("workspace", workspace.id))
    return MemberWorkspace(workspace.id, workspace.name, Role.OWNER, 1, workspace.created_at)


async def list_workspaces(session: SystemSession, user_id: UUID) -> list[MemberWorkspace]:
    """The user's own first, then the others, oldest membership first."""
    everybody = (
        sa.select(sa.func.count())
        .select_from(Membership)
        .where(Membership.workspace_id == Workspace.id)
        .correlate(Workspace)
        .scalar_subquery()
    )
    rows = await session.execute(
        sa.select(Workspace.id, Workspace.name, Membership.role, everybody, Workspace.created_at)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.user_id == user_id, Workspace.deleted_at.is_(None))
        .order_by(Membership.role != Role.OWNER, Membership.created_at, Membership.workspace_id)
    )
    return [MemberWorkspace(row[0], row[1], Role(row[2]), row[3], row[4]) for row in rows]


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


async def of_member(
    session: SystemSession, user_id: UUID, workspace_id: UUID, *, lock: bool = False
) -> tuple[Workspace, Role]:
    """The workspace and the role of one of its members. Raises `NotFoundError` for everybody else.

    `lock` holds the workspace's row, so that changes of its members happen one after another.
    """
    query = (
        sa.select(Workspace, Membership.role)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Workspace.id == workspace_id, Membership.user_id == user_id, Workspace.deleted_at.is_(None))
    )
    if lock:
        query = query.with_for_update(of=Workspace, key_share=True)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    return row[0], Role(row[1])


async def rename_workspace(
    session: SystemSession, user_id: UUID, workspace_id: UUID, name: str
) -> MemberWorkspace:
    """Raises `ForbiddenError` for who is neither owner nor admin."""
    workspace, role = await of_member(session, user_id, workspace_id, lock=True)
    require_manager(role)
    workspace.name = _checked(name)
    audit.record(session, "workspace.renamed", workspace_id=workspace_id, target=("workspace", workspace_id))
    await session.flush()
    return await resolve_workspace(session, user_id, str(workspace_id))


async def delete_workspace(session: SystemSession, user_id: UUID, workspace_id: UUID, name: str) -> None:
    """Gone for everybody from now on; rows and bytes follow (`app.services.admin.removal`).

    `name` has to repeat the workspace's. Raises `ForbiddenError` for who is not an owner, `ConflictError` for
    the only workspace that somebody has.
    """
    workspace, role = await of_member(session, user_id, workspace_id, lock=True)
    if role != Role.OWNER:
        raise ForbiddenError("Only owners of a workspace can delete it.")
    if name.strip() != workspace.name:
        raise InvalidInputError("Repeat the name of the workspace exactly to delete it.", field="name")
    await require_another(session, user_id)
    mark_deleted(session, workspace)


def mark_deleted(session: SystemSession, workspace: Workspace) -> None:
    """The workspace is gone for everybody once this transaction has committed."""
    workspace.deleted_at = utcnow()
    audit.record(session, "workspace.deleted", workspace_id=workspace.id, target=("workspace", workspace.id))


async def require_another(session: SystemSession, user_id: UUID) -> None:
    """Raises `ConflictError` where the user has one workspace only: everybody needs a place to work in."""
    if len(await list_workspaces(session, user_id)) < 2:
        raise ConflictError("This is your only workspace. Make another one first.")


async def _add(session: SystemSession, user_id: UUID, name: str) -> Workspace:
    workspace = Workspace(name=name)
    session.add(workspace)
    await session.flush()
    session.add(Membership(workspace_id=workspace.id, user_id=user_id, role=Role.OWNER))
    await session.flush()
    return workspace


def _checked(name: str) -> str:
    text = name.strip()
    if not text or len(text) > MAX_NAME:
        raise InvalidInputError(f"A workspace has a name of 1 to {MAX_NAME} characters.", field="name")
    return text
