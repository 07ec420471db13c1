"""What a person may take along of their account, and how the account goes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import to_json_time
from app.core.errors import ConflictError
from app.db.session import SystemSession
from app.models.api_keys import ApiKey
from app.models.audit import AuditEntry
from app.models.credentials import ExternalIdentity
from app.models.jobs import Job
from app.models.users import Session, User
from app.models.workspaces import Membership, Role, Workspace
from app.services import audit
from app.services.identity.workspaces import mark_deleted

_ENTRIES = 10_000


async def export_account(session: SystemSession, user_id: UUID) -> dict[str, Any]:
    """Everything that is about the person, without secrets: account, workspaces, sign-ins, keys, their own acts."""
    user = await session.get_one(User, user_id)
    memberships = await session.execute(
        sa.select(Workspace.id, Workspace.name, Membership.role, Membership.created_at)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.user_id == user_id)
    )
    sessions = await session.execute(sa.select(Session).where(Session.user_id == user_id))
    keys = await session.execute(sa.select(ApiKey).where(ApiKey.user_id == user_id))
    linked = await session.execute(sa.select(ExternalIdentity).where(ExternalIdentity.user_id == user_id))
    acts = await session.execute(
        sa.select(AuditEntry)
        .where(AuditEntry.user_id == user_id)
        .order_by(AuditEntry.created_at.desc())
        .limit(_ENTRIES)
    )
    return {
        "account": {
            "id": str(user.id),
            "email": user.email,
            "name": user.name or None,
            "created_at": to_json_time(user.created_at),
            "email_verified": user.email_verified_at is not None,
            "second_factor": user.totp_enabled_at is not None,
        },
        "workspaces": [
            {"id": str(row[0]), "name": row[1], "role": row[2], "joined_at": to_json_time(row[3])}
            for row in memberships
        ],
        "sessions": [
            {
                "created_at": to_json_time(row.created_at),
                "last_used_at": to_json_time(row.last_used_at),
                "user_agent": row.user_agent,
                "address": row.address,
            }
            for row in sessions.scalars()
        ],
        "linked_sign_ins": [
            {"issuer": one.issuer, "email": one.email or None, "created_at": to_json_time(one.created_at)}
            for one in linked.scalars()
        ],
        "api_keys": [
            {"name": key.name, "prefix": key.prefix, "created_at": to_json_time(key.created_at)}
            for key in keys.scalars()
        ],
        "acts": [
            {"action": act.action, "created_at": to_json_time(act.created_at), "address": act.address}
            for act in acts.scalars()
        ],
    }


async def lock_jobs(session: SystemSession, user_id: UUID) -> None:
    """Lock what the person started before the person and their workspaces, in the order of whoever runs a job."""
    await session.execute(
        sa.select(Job.id).where(Job.created_by == user_id).order_by(Job.id).with_for_update()
    )


async def delete_account(session: SystemSession, user_id: UUID) -> None:
    """The account, and every workspace that nobody else belongs to. Rows and bytes of those follow.

    Raises `ConflictError` for the last administrator, and where a workspace with other members would be left
    without an owner. `lock_jobs` comes first.
    """
    user = await session.get_one(User, user_id, with_for_update=True)
    if user.is_admin:
        others = await session.scalar(
            sa.select(sa.func.count())
            .select_from(User)
            .where(User.is_admin, User.is_active, User.id != user_id)
        )
        if not others and await session.scalar(sa.select(sa.func.count()).select_from(User)) != 1:
            raise ConflictError("You are the last administrator. Make somebody else one first.")
    owned = (
        (
            await session.execute(
                sa.select(Workspace)
                .join(Membership, Membership.workspace_id == Workspace.id)
                .where(Membership.user_id == user_id, Workspace.deleted_at.is_(None))
                .with_for_update(of=Workspace, key_share=True)
            )
        )
        .scalars()
        .all()
    )
    orphaned = []
    for workspace in owned:
        members = await _roles_of_others(session, workspace.id, user_id)
        if not members:
            mark_deleted(session, workspace)
        elif Role.OWNER not in members and await _is_owner(session, workspace.id, user_id):
            orphaned.append(workspace.name)
    if orphaned:
        raise ConflictError(
            f"You are the only owner of {', '.join(orphaned)}, where others work. Make one of them an owner, or "
            "delete the workspace.",
            field="workspaces",
        )
    audit.record(session, "user.deleted", user_id=user_id)
    await session.flush()
    await session.execute(sa.delete(User).where(User.id == user_id))


async def _roles_of_others(session: SystemSession, workspace_id: UUID, user_id: UUID) -> set[str]:
    rows = await session.execute(
        sa.select(Membership.role).where(
            Membership.workspace_id == workspace_id, Membership.user_id != user_id
        )
    )
    return set(rows.scalars())


async def _is_owner(session: SystemSession, workspace_id: UUID, user_id: UUID) -> bool:
    membership = await session.get(Membership, (workspace_id, user_id))
    return membership is not None and membership.role == Role.OWNER
