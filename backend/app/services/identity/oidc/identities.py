"""Whose account somebody from the provider is: found, linked or made. The rules that keep accounts from being taken."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.clock import utcnow
from app.core.config.oidc import OidcSettings
from app.core.errors import InvalidStateError, NotFoundError
from app.db.session import SystemSession
from app.models.credentials import ExternalIdentity
from app.models.users import User
from app.services import audit
from app.services.identity.oidc.errors import Refusal, SignInRefusedError
from app.services.identity.oidc.id_token import ProviderUser
from app.services.identity.users import add_user, any_user, find_user, lock_first_account, lock_user


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """A provider's account that signs in to one of ours. `id` stands for issuer and subject."""

    id: str
    issuer: str
    email: str
    created_at: datetime


async def find_or_make(
    session: SystemSession, settings: OidcSettings, person: ProviderUser
) -> tuple[User, bool]:
    """The account that signs in, its row held, and whether it was linked or made just now. Raises `SignInRefusedError`.

    Known by issuer and subject, whatever the address is by now. Else by a verified address: an account is linked only
    where it has shown here, too, that mail to the address arrives. Anybody may have registered an address that was
    never verified, so such an account has to be linked by whoever knows its password.
    """
    _check_domain(settings, person)
    row = await session.get(ExternalIdentity, (person.issuer, person.subject))
    if row is not None:
        return await _usable(session, row.user_id), False
    if person.email is None:
        raise SignInRefusedError(Refusal.EMAIL_UNVERIFIED)
    await lock_first_account(session)
    known = await find_user(session, person.email)
    if known is not None:
        user = await _usable(session, known.id)
        if user.email_verified_at is None:
            raise SignInRefusedError(Refusal.NOT_LINKED)
        await add_identity(session, user, person)
        return user, True
    if not settings.oidc_create_accounts:
        raise SignInRefusedError(Refusal.NO_ACCOUNT)
    if not await any_user(session):  # it would be the administrator's: see Registration.register
        raise SignInRefusedError(Refusal.FIRST_ACCOUNT)
    user = await add_user(session, person.email, person.name, "", is_admin=False)
    user.email_verified_at = utcnow()
    await add_identity(session, user, person)
    return user, True


async def link(session: SystemSession, settings: OidcSettings, user_id: UUID, person: ProviderUser) -> User:
    """For an account that is signed in and has given its password. Raises `SignInRefusedError`."""
    _check_domain(settings, person)
    user = await _usable(session, user_id)
    row = await session.get(ExternalIdentity, (person.issuer, person.subject))
    if row is not None:
        if row.user_id == user_id:
            return user
        raise SignInRefusedError(Refusal.IDENTITY_TAKEN)
    other = sa.select(ExternalIdentity).where(
        ExternalIdentity.user_id == user_id, ExternalIdentity.issuer == person.issuer
    )
    if (await session.execute(other)).first() is not None:
        raise SignInRefusedError(Refusal.ALREADY_LINKED)
    await add_identity(session, user, person)
    if person.email == user.email:
        user.email_verified_at = user.email_verified_at or utcnow()
    return user


async def add_identity(session: SystemSession, user: User, person: ProviderUser) -> None:
    """Raises `SignInRefusedError` where another request was faster."""
    row = ExternalIdentity(
        issuer=person.issuer, subject=person.subject, user_id=user.id, email=person.email or ""
    )
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise SignInRefusedError(Refusal.IDENTITY_TAKEN) from error
    audit.record(session, "identity.linked", user_id=user.id, issuer=person.issuer)


async def list_identities(session: SystemSession, user_id: UUID) -> list[LinkedIdentity]:
    rows = await session.execute(
        sa.select(ExternalIdentity)
        .where(ExternalIdentity.user_id == user_id)
        .order_by(ExternalIdentity.created_at.desc())
    )
    return [LinkedIdentity(_id_of(row), row.issuer, row.email, row.created_at) for row in rows.scalars()]


async def remove_identity(session: SystemSession, user_id: UUID, identity_id: str) -> User:
    """Raises `NotFoundError`, and `InvalidStateError` where the account could not be signed in to any more."""
    user = await lock_user(session, user_id)
    rows = await session.execute(sa.select(ExternalIdentity).where(ExternalIdentity.user_id == user_id))
    found = {_id_of(row): row for row in rows.scalars()}
    row = found.get(identity_id)
    if user is None or row is None:
        raise NotFoundError
    if not user.password_hash and len(found) == 1:
        raise InvalidStateError(
            "This is the only way to sign in to your account. Choose a password first: sign out and use "
            "\u201cForgot the password?\u201d."
        )
    await session.delete(row)
    audit.record(session, "identity.removed", user_id=user_id, issuer=row.issuer)
    return user


async def _usable(session: SystemSession, user_id: UUID) -> User:
    user = await lock_user(session, user_id)
    if user is None or not user.is_active:
        raise SignInRefusedError(Refusal.ACCOUNT_DISABLED)
    return user


def _check_domain(settings: OidcSettings, person: ProviderUser) -> None:
    domains = [domain.strip().lstrip("@").casefold() for domain in settings.oidc_email_domains]
    if not domains:
        return
    if person.email is None:
        raise SignInRefusedError(Refusal.EMAIL_UNVERIFIED)
    if person.email.rpartition("@")[2] not in domains:
        raise SignInRefusedError(Refusal.DOMAIN_NOT_ALLOWED)


def _id_of(row: ExternalIdentity) -> str:
    return hashlib.sha256(f"{row.issuer}\0{row.subject}".encode()).hexdigest()[:32]
