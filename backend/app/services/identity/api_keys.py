"""Keys for scripts and SDKs: shown once, kept as a hash, worth as much as their scopes and their user's role allow."""

from __future__ import annotations

import secrets
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import InvalidInputError, NotFoundError, UnauthenticatedError
from app.core.security import SIGN_IN_AGAIN, hash_token
from app.db.session import SystemSession
from app.models.api_keys import ApiKey, Scope
from app.models.users import User
from app.models.workspaces import Membership, Workspace
from app.services import audit
from app.services.identity.roles import MANAGERS
from app.services.identity.workspaces import of_member

PREFIX = "tr_"
_ALPHABET = string.digits + string.ascii_letters
_RANDOM, _CHECK = 40, 6  # 238 random bits; the checksum tells a mistyped key, and lets scanners recognise one


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a request with a key may do: in this workspace only, and there no more than its scopes."""

    id: UUID
    workspace_id: UUID
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The user a key acts for."""

    user_id: UUID
    email: str
    grant: KeyGrant


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was just made; `secret` is known now and never again."""

    key: ApiKey
    secret: str
    user: User


def looks_like_key(token: str) -> bool:
    """Whether a bearer token is meant to be one of ours; nothing else begins so."""
    return token.startswith(PREFIX)


async def create_key(
    session: SystemSession,
    user_id: UUID,
    workspace_id: UUID,
    *,
    name: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None,
) -> MadeKey:
    """Any member makes keys for themselves. Raises `InvalidInputError` for an end that has passed."""
    await of_member(session, user_id, workspace_id, lock=True)  # nobody is removed meanwhile
    if expires_at is not None and expires_at <= utcnow():
        raise InvalidInputError("A key has to end in the future.", field="expires_at")
    secret = _new_secret()
    key = ApiKey(
        workspace_id=workspace_id,
        user_id=user_id,
        name=name,
        prefix=secret[: len(PREFIX) + 6],
        key_hash=hash_token(secret),
        scopes=sorted({Scope.READ, *scopes}),
        expires_at=expires_at,
    )
    session.add(key)
    await session.flush()
    audit.record(
        session, "api_key.created", workspace_id=workspace_id, target=("api_key", key.id), scopes=key.scopes
    )
    return MadeKey(key, secret, await session.get_one(User, user_id))


async def list_keys(session: SystemSession, user_id: UUID, workspace_id: UUID) -> list[tuple[ApiKey, User]]:
    """One's own; owners and admins see everybody's. Newest first, without those that were revoked."""
    _, role = await of_member(session, user_id, workspace_id)
    query = (
        sa.select(ApiKey, User)
        .join(User, User.id == ApiKey.user_id)
        .where(ApiKey.workspace_id == workspace_id, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    )
    if role not in MANAGERS:
        query = query.where(ApiKey.user_id == user_id)
    return [(key, user) for key, user in await session.execute(query)]


async def revoke_key(session: SystemSession, user_id: UUID, workspace_id: UUID, key_id: UUID) -> None:
    """Worth nothing from the next request on. Owners and admins may revoke everybody's. Raises `NotFoundError`."""
    _, role = await of_member(session, user_id, workspace_id)
    which = [ApiKey.id == key_id, ApiKey.workspace_id == workspace_id, ApiKey.revoked_at.is_(None)]
    if role not in MANAGERS:
        which.append(ApiKey.user_id == user_id)
    gone = await session.execute(
        sa.update(ApiKey).where(*which).values(revoked_at=utcnow()).returning(ApiKey.id)
    )
    if gone.one_or_none() is None:
        raise NotFoundError
    audit.record(session, "api_key.revoked", workspace_id=workspace_id, target=("api_key", key_id))


async def revoke_all_keys(session: SystemSession, user_id: UUID) -> None:
    """Every key of a person, in all workspaces."""
    revoked = await session.execute(
        sa.update(ApiKey)
        .where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=utcnow())
        .returning(ApiKey.id, ApiKey.workspace_id)
        .execution_options(synchronize_session=False)
    )
    for key_id, workspace_id in revoked.all():
        audit.record(session, "api_key.revoked", workspace_id=workspace_id, target=("api_key", key_id))


async def identify_key(session: SystemSession, secret: str) -> KeyHolder:
    """Whose key it is. Raises `UnauthenticatedError` for unknown, mistyped, revoked and expired ones alike."""
    if not _is_whole(secret):
        raise UnauthenticatedError(SIGN_IN_AGAIN)
    return await _load(session, ApiKey.key_hash == hash_token(secret))


async def reload_key(session: SystemSession, key_id: UUID) -> KeyHolder:
    """The same key as of now, for streams that stay open."""
    return await _load(session, ApiKey.id == key_id)


async def _load(session: SystemSession, which: sa.ColumnElement[bool]) -> KeyHolder:
    row = (
        await session.execute(
            sa.select(ApiKey, User.email)
            .join(User, User.id == ApiKey.user_id)
            .join(
                Membership,
                sa.and_(Membership.user_id == ApiKey.user_id, Membership.workspace_id == ApiKey.workspace_id),
            )
            .join(Workspace, Workspace.id == ApiKey.workspace_id)
            .where(
                which,
                ApiKey.revoked_at.is_(None),
                sa.or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > utcnow()),
                User.is_active,
                Workspace.deleted_at.is_(None),
            )
        )
    ).one_or_none()
    if row is None:
        raise UnauthenticatedError(SIGN_IN_AGAIN)
    key: ApiKey = row[0]
    scopes = frozenset(Scope(scope) for scope in key.scopes)
    return KeyHolder(key.user_id, row[1], KeyGrant(key.id, key.workspace_id, scopes))


def _new_secret() -> str:
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return f"{PREFIX}{random}{_checksum(random)}"


def _is_whole(secret: str) -> bool:
    random = secret.removeprefix(PREFIX)[:_RANDOM]
    return secret == f"{PREFIX}{random}{_checksum(random)}" and len(random) == _RANDOM


def _checksum(random: str) -> str:
    number, digits = zlib.crc32(random.encode("utf-8", "replace")), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
