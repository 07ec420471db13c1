"""Accounts: who may register, what a password must be, and the first administrator."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.clock import utcnow
from app.core.config import Settings
from app.core.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
)
from app.core.logging import get_logger
from app.core.passwords import Passwords
from app.core.security import derive_key, same_text
from app.db.session import Database, SystemSession
from app.models.users import User
from app.services.identity.credentials import check_new_password, normalize_email, normalize_name
from app.services.identity.sessions import Device, Principal, Sessions, SignIn, end_sessions
from app.services.identity.workspaces import MemberWorkspace, create_own_workspace, list_workspaces

log = get_logger(__name__)

_FIRST_ACCOUNT_LOCK = 0x7472616E73637269  # a Postgres advisory lock of our own ("transcri")


@dataclass(frozen=True, slots=True)
class RegistrationState:
    """Whether anybody may register now, and what the first one has to bring."""

    open: bool
    needs_first_account: bool
    setup_token_required: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """A user as they see themselves."""

    id: UUID
    email: str
    name: str | None
    is_admin: bool
    workspaces: list[MemberWorkspace]


class Accounts:
    """Registers, signs in, changes passwords. Hashing never happens inside a transaction."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        passwords: Passwords,
        sessions: Sessions,
        *,
        secret: bytes,
    ) -> None:
        self.passwords = passwords
        self._settings = settings
        self._database = database
        self._sessions = sessions
        # Derived, so that every node prints the same one; it opens nothing once an account exists.
        self.setup_token = base64.b32encode(derive_key(secret, "setup-token", 20)).decode()

    async def registration_state(
        self, session: SystemSession, *, reached_on_loopback: bool = True
    ) -> RegistrationState:
        """`reached_on_loopback=False`: a request came in over the network, whatever HOST says."""
        first = not await _any_user(session)
        local_only = self._settings.server.listens_on_loopback and reached_on_loopback
        return RegistrationState(
            open=self._settings.identity.allow_registration,
            needs_first_account=first,
            setup_token_required=first and not local_only,
        )

    async def needed_setup_token(self) -> str | None:
        """What the log should print at start: the token, while the first account waits for it."""
        async with self._database.system(read_only=True) as session:
            state = await self.registration_state(session)
        return self.setup_token if state.open and state.setup_token_required else None

    async def register(
        self,
        *,
        email: str,
        password: str,
        name: str | None,
        setup_token: str | None,
        device: Device,
        reached_on_loopback: bool = True,
    ) -> SignIn:
        """A new account, its workspace and its first session, in one transaction.

        The first account is the administrator: where the server listens on loopback only, or with the setup token.
        Of two first registrations at once one wins (advisory lock on Postgres, the single writer on SQLite).
        """
        if not self._settings.identity.allow_registration:
            raise ForbiddenError(
                "Registration is closed. An operator can add you with `transcribe admin create` on the server."
            )
        async with self._database.system(read_only=True) as session:
            state = await self.registration_state(session, reached_on_loopback=reached_on_loopback)
        self._check_setup_token(state, setup_token)
        email, name = normalize_email(email), normalize_name(name)
        check_new_password(password, email, self._settings.identity.password_min_length)
        async with self._database.system(read_only=True) as session:
            if await _find(session, email) is not None:
                raise _address_taken()
        password_hash = await self.passwords.hash(password)
        async with self._database.system() as session:
            await _lock_first_account(session)
            state = await self.registration_state(session, reached_on_loopback=reached_on_loopback)
            self._check_setup_token(state, setup_token)
            user = await _add(session, email, name, password_hash, is_admin=state.needs_first_account)
            return await self._sessions.open(session, user, device)

    async def login(
        self, *, email: str, password: str, device: Device, with_refresh_token: bool = True
    ) -> SignIn:
        """Raises the same `UnauthenticatedError`, after the same work, for unknown users and wrong passwords."""
        async with self._database.system(read_only=True) as session:
            user = await _find(session, email.strip().casefold())
        stored = user.password_hash if user is not None and user.is_active else None
        fits, renewed = await self.passwords.verify(password, stored)
        if user is None or not fits:
            raise _wrong_credentials()
        async with self._database.system() as session:
            locked = await _lock(session, user.id)
            if locked is None or not locked.is_active or locked.password_hash != stored:
                raise _wrong_credentials()  # the password was changed while this one was looked at
            if renewed is not None:
                locked.password_hash = renewed
            return await self._sessions.open(session, locked, device, with_refresh_token=with_refresh_token)

    async def profile(self, user_id: UUID) -> Profile:
        async with self._database.system(read_only=True) as session:
            user = await session.get(User, user_id)
            if user is None:
                raise UnauthenticatedError("This account no longer exists.")
            workspaces = await list_workspaces(session, user_id)
        return Profile(user.id, user.email, user.name or None, user.is_admin, workspaces)

    async def change_password(self, principal: Principal, current: str, new: str) -> None:
        """Ends all the user's other sessions at once. Raises `ForbiddenError` (wrong_password)."""
        async with self._database.system(read_only=True) as session:
            user = await session.get(User, principal.user_id)
        stored = user.password_hash if user is not None else None
        fits, _ = await self.passwords.verify(current, stored)
        if not fits:
            raise _wrong_password()
        check_new_password(
            new, principal.email, self._settings.identity.password_min_length, field="new_password"
        )
        password_hash = await self.passwords.hash(new)
        async with self._database.system() as session:
            locked = await _lock(session, principal.user_id)
            if locked is None or locked.password_hash != stored:
                raise _wrong_password()
            await _store_password(session, locked, password_hash, keep=principal.session_id)

    async def create_admin(self, *, email: str, password: str, name: str = "") -> UUID:
        """For the command line, whatever ALLOW_REGISTRATION says. Raises `ConflictError` for a known address."""
        email = normalize_email(email)
        check_new_password(password, email, self._settings.identity.password_min_length)
        password_hash = await self.passwords.hash(password)
        async with self._database.system() as session:
            user = await _add(session, email, normalize_name(name), password_hash, is_admin=True)
            return user.id

    async def set_password(self, *, email: str, password: str) -> None:
        """For the command line: a new password, and all sessions of the account end. Raises `NotFoundError`."""
        email = email.strip().casefold()
        check_new_password(password, email, self._settings.identity.password_min_length)
        password_hash = await self.passwords.hash(password)
        async with self._database.system() as session:
            found = await _find(session, email)
            locked = await _lock(session, found.id) if found is not None else None
            if locked is None:
                raise NotFoundError(f"There is no account with the address {email}.")
            await _store_password(session, locked, password_hash)

    def _check_setup_token(self, state: RegistrationState, given: str | None) -> None:
        if state.setup_token_required and not same_text((given or "").strip().upper(), self.setup_token):
            log.warning("setup_token_required", setup_token=self.setup_token)  # for whoever runs the server
            raise ForbiddenError(
                "The first account becomes the administrator and needs the setup token that the server's log prints.",
                code="setup_token_required",
                field="setup_token",
            )


async def _any_user(session: SystemSession) -> bool:
    return bool(await session.scalar(sa.select(sa.exists().where(User.id.is_not(None)))))


async def _lock_first_account(session: SystemSession) -> None:
    """Registrations queue while there is no account; afterwards nobody waits."""
    if session.get_bind().dialect.name == "postgresql" and not await _any_user(session):
        await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_FIRST_ACCOUNT_LOCK)))


async def _find(session: SystemSession, email: str) -> User | None:
    found: User | None = await session.scalar(sa.select(User).where(User.email == email.replace("\0", "")))
    return found


async def _lock(session: SystemSession, user_id: UUID) -> User | None:
    return await session.get(User, user_id, with_for_update=True, populate_existing=True)


async def _add(session: SystemSession, email: str, name: str, password_hash: str, *, is_admin: bool) -> User:
    """Raises `ConflictError` where the address was taken in the meantime."""
    user = User(email=email, name=name, password_hash=password_hash, is_admin=is_admin)
    try:
        async with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise _address_taken() from error
    await create_own_workspace(session, user)
    return user


async def _store_password(
    session: SystemSession, user: User, password_hash: str, *, keep: UUID | None = None
) -> None:
    user.password_hash = password_hash
    user.password_changed_at = utcnow()
    await end_sessions(session, user.id, keep=keep)


def _address_taken() -> ConflictError:
    return ConflictError("There is an account with this address already. Sign in instead.", field="email")


def _wrong_credentials() -> UnauthenticatedError:
    return UnauthenticatedError("The e-mail address or the password is wrong.")


def _wrong_password() -> ForbiddenError:
    return ForbiddenError("The current password is wrong.", code="wrong_password", field="current_password")
