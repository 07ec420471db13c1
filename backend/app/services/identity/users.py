"""Rows of users: found, held, added, and the password in them."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.clock import utcnow
from app.core.errors import ConflictError
from app.db.session import SystemSession
from app.models.users import User
from app.services import audit
from app.services.identity.sessions import end_sessions
from app.services.identity.workspaces import create_own_workspace

_FIRST_ACCOUNT_LOCK = 0x7472616E73637269  # a Postgres advisory lock of our own ("transcri")


async def any_user(session: SystemSession) -> bool:
    """Whether there is an account at all."""
    return bool(await session.scalar(sa.select(sa.exists().where(User.id.is_not(None)))))


async def lock_first_account(session: SystemSession) -> None:
    """Registrations queue while there is no account; afterwards nobody waits."""
    if session.get_bind().dialect.name == "postgresql" and not await any_user(session):
        await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_FIRST_ACCOUNT_LOCK)))


async def find_user(session: SystemSession, email: str) -> User | None:
    """By an address as somebody types it."""
    text = email.strip().casefold().replace("\0", "")
    found: User | None = await session.scalar(sa.select(User).where(User.email == text))
    return found


async def lock_user(session: SystemSession, user_id: UUID) -> User | None:
    """The row as it is now, held to the end of the transaction."""
    return await session.get(User, user_id, with_for_update=True, populate_existing=True)


async def add_user(
    session: SystemSession, email: str, name: str, password_hash: str, *, is_admin: bool
) -> User:
    """An account with a workspace of its own. Raises `ConflictError` where the address was taken in the meantime."""
    user = User(email=email, name=name, password_hash=password_hash, is_admin=is_admin)
    try:
        async with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise address_taken() from error
    audit.record(session, "user.registered", user_id=user.id)
    await create_own_workspace(session, user)
    return user


async def store_password(
    session: SystemSession, user: User, password_hash: str, *, keep: UUID | None = None
) -> None:
    """Another password: all sessions but `keep` end."""
    user.password_hash = password_hash
    user.password_changed_at = utcnow()
    await end_sessions(session, user.id, keep=keep)


def address_taken() -> ConflictError:
    return ConflictError("There is an account with this address already. Sign in instead.", field="email")
