"""Links by e-mail that make somebody a member. The token is kept as a hash, lives a week and is good once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import ConflictError, ForbiddenError, GoneError, NotFoundError
from app.core.security import hash_token, new_opaque_token
from app.db.session import SystemSession
from app.models.users import User
from app.models.workspaces import Invitation, Membership, Role, Workspace
from app.services import audit
from app.services.identity.credentials import normalize_email
from app.services.identity.outbox import enqueue_mail
from app.services.identity.quotas import require_room_for_member
from app.services.identity.roles import require_manager, require_over
from app.services.identity.workspaces import of_member

LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was just made; `token` is known now and never again."""

    invitation: Invitation
    token: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What the holder of a token is told before they accept. `proves_address`: they can only have it by mail."""

    workspace_name: str
    email: str
    role: Role
    has_account: bool
    proves_address: bool


async def invite(
    session: SystemSession,
    user_id: UUID,
    workspace_id: UUID,
    *,
    email: str,
    role: Role,
    public_url: str,
    token_shown: bool = True,
) -> Invited:
    """Mails a link. A pending invitation of the same address is replaced, so that the newest link counts.

    `token_shown` is False where the caller keeps the token from everybody: then, and only then, using it proves that
    mail to the address arrives. What the settings say later changes nothing of it.

    Raises `ForbiddenError`, `ConflictError` for somebody who is a member already, `QuotaExceededError`.
    """
    workspace, own = await of_member(session, user_id, workspace_id, lock=True)
    require_over(own, role)
    email = normalize_email(email)
    member = (
        sa.select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.workspace_id == workspace_id, User.email == email)
    )
    if (await session.execute(member)).first() is not None:
        raise ConflictError("This address belongs to a member already.", field="email")
    await session.execute(
        sa.delete(Invitation).where(Invitation.workspace_id == workspace_id, Invitation.email == email)
    )
    await require_room_for_member(session, workspace)
    token = new_opaque_token()
    invitation = Invitation(
        workspace_id=workspace_id,
        email=email,
        role=role,
        token_hash=hash_token(token),
        token_shown=token_shown,
        invited_by=user_id,
        expires_at=utcnow() + LIFE,
    )
    session.add(invitation)
    inviter = await session.get_one(User, user_id)
    enqueue_mail(
        session,
        to=email,
        subject=f"Join {workspace.name}",
        body=f"{inviter.name or inviter.email} invites you to the workspace {workspace.name}.\n\n"
        f"Open this link within {LIFE.days} days to join:\n\n{public_url}/invite/{token}\n\n"
        "If you do not know why you get this, leave it alone: nothing happens.\n",
    )
    audit.record(
        session,
        "invitation.created",
        workspace_id=workspace_id,
        target=("invitation", invitation.id),
        role=role,
    )
    await session.flush()
    return Invited(invitation, token)


async def list_invitations(session: SystemSession, user_id: UUID, workspace_id: UUID) -> list[Invitation]:
    """Those that may still be accepted, newest first. Raises `ForbiddenError` for who does not manage members."""
    _, own = await of_member(session, user_id, workspace_id)
    require_manager(own)
    rows = await session.execute(
        sa.select(Invitation)
        .where(Invitation.workspace_id == workspace_id, _open())
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return [*rows.scalars()]


async def revoke_invitation(
    session: SystemSession, user_id: UUID, workspace_id: UUID, invitation_id: UUID
) -> None:
    """Its link is worth nothing from now on."""
    _, own = await of_member(session, user_id, workspace_id, lock=True)
    require_manager(own)
    gone = await session.execute(
        sa.delete(Invitation)
        .where(Invitation.workspace_id == workspace_id, Invitation.id == invitation_id)
        .returning(Invitation.id)
    )
    if gone.one_or_none() is None:
        raise NotFoundError
    audit.record(
        session, "invitation.revoked", workspace_id=workspace_id, target=("invitation", invitation_id)
    )


async def inspect_invitation(session: SystemSession, token: str) -> Offer:
    """What the token offers. Raises `GoneError` for used, expired, revoked and unknown ones alike."""
    invitation, workspace = await _find(session, token)
    known = await session.scalar(sa.select(User.id).where(User.email == invitation.email))
    return Offer(
        workspace.name,
        invitation.email,
        Role(invitation.role),
        known is not None,
        proves_address=not invitation.token_shown,
    )


async def accept_invitation(session: SystemSession, user_id: UUID, token: str) -> UUID:
    """The workspace that the user belongs to now. Two calls at once: one accepts, the other finds it used.

    Raises `GoneError`, and `ForbiddenError` (wrong_account) for another address than the invited one.
    """
    invitation, workspace = await _find(session, token, lock=True)
    user = await session.get_one(User, user_id)
    if user.email != invitation.email:
        raise ForbiddenError(
            "This invitation is for another address. Sign in with the account of that address.",
            code="wrong_account",
        )
    await require_room_for_member(session, workspace, joining=True)
    invitation.accepted_at = utcnow()
    if (
        not invitation.token_shown
    ):  # else the inviter may be who uses it, and would take another one's address
        user.email_verified_at = user.email_verified_at or utcnow()
    if await session.get(Membership, (workspace.id, user_id)) is None:
        session.add(Membership(workspace_id=workspace.id, user_id=user_id, role=invitation.role))
    audit.record(
        session, "invitation.accepted", workspace_id=workspace.id, user_id=user_id, role=invitation.role
    )
    await session.flush()
    return workspace.id


def _open() -> sa.ColumnElement[bool]:
    return sa.and_(Invitation.accepted_at.is_(None), Invitation.expires_at > utcnow())


async def _find(session: SystemSession, token: str, *, lock: bool = False) -> tuple[Invitation, Workspace]:
    query = (
        sa.select(Invitation, Workspace)
        .join(Workspace, Workspace.id == Invitation.workspace_id)
        .where(Invitation.token_hash == hash_token(token), _open(), Workspace.deleted_at.is_(None))
    )
    if lock:
        query = query.with_for_update(of=(Workspace, Invitation), key_share=True)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise GoneError("This invitation was used, taken back or has expired. Ask for a new one.")
    return row[0], row[1]
