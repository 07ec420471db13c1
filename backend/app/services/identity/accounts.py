"""Accounts: signing in, and what their owners and operators change about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.clock import utcnow
from app.core.config import Settings
from app.core.errors import (
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
)
from app.core.logging import get_logger
from app.core.passwords import Passwords
from app.core.security import Sealer
from app.db.session import Database
from app.models.users import User
from app.services import audit
from app.services.identity.account_data import delete_account, export_account, lock_jobs
from app.services.identity.credentials import check_new_password, normalize_email, normalize_name
from app.services.identity.recovery import Recovery
from app.services.identity.registration import Registration
from app.services.identity.second_factor import SecondFactor, take_off, wrong_code
from app.services.identity.sessions import Device, Principal, Sessions, SignIn
from app.services.identity.throttle import Throttle
from app.services.identity.users import (
    add_user,
    find_user,
    lock_user,
    store_password,
)
from app.services.identity.workspaces import MemberWorkspace, list_workspaces

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Profile:
    """A user as they see themselves."""

    id: UUID
    email: str
    name: str | None
    is_admin: bool
    email_verified: bool
    has_password: bool
    totp_enabled: bool
    workspaces: list[MemberWorkspace]


class Accounts:
    """Signs in, changes passwords, names and second factors. Hashing never happens inside a transaction."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        passwords: Passwords,
        sessions: Sessions,
        *,
        secret: bytes,
        throttle: Throttle | None = None,
        factor: SecondFactor | None = None,
        recovery: Recovery | None = None,
        wake_removal: Callable[[], None] = lambda: None,
    ) -> None:
        self.passwords = passwords
        self.throttle = throttle or Throttle(database, failures=settings.identity.lockout_failures)
        self.factor = factor or SecondFactor(
            database, passwords, Sealer(secret, "totp"), issuer=settings.identity.totp_issuer
        )
        self.recovery = recovery or Recovery(
            database,
            passwords,
            self.throttle,
            page_url=settings.page_url,
            min_length=settings.identity.password_min_length,
            wake=lambda: None,
        )
        self._wake_removal = wake_removal
        self._settings = settings
        self._database = database
        self._sessions = sessions
        self.registration = Registration(
            settings, database, passwords, sessions, self.recovery, secret=secret
        )

    async def login(
        self,
        *,
        email: str,
        password: str,
        device: Device,
        code: str | None = None,
        with_refresh_token: bool = True,
    ) -> SignIn:
        """Raises the same `UnauthenticatedError`, after the same work, for unknown users and wrong passwords.

        Who has a second factor is asked for it (`totp_required`) once the password was right. Failures are counted
        and slow the next tries down (`RateLimitedError`).
        """
        await self.throttle.check(email, device.address)
        async with self._database.system(read_only=True) as session:
            user = await find_user(session, email)
        stored = user.password_hash if user is not None and user.is_active else None
        fits, renewed = await self.passwords.verify(password, stored or None)
        if user is None or not fits:
            await self.throttle.failed(email, device.address, user_id=user.id if user else None)
            raise _wrong_credentials()
        if user.totp_enabled_at is not None and not code:
            raise UnauthenticatedError(
                "Enter the code of your authenticator app, or a backup code.", code="totp_required"
            )
        if self._settings.identity.email_verification and user.email_verified_at is None:
            raise ForbiddenError(
                "Confirm your e-mail address first: open the link that was mailed to you.",
                code="email_unverified",
            )
        sign_in = await self._open(user.id, stored, renewed, code, device, with_refresh_token)
        if sign_in is None:
            await self.throttle.failed(email, device.address, user_id=user.id)
            raise wrong_code(UnauthenticatedError)
        return sign_in

    async def _open(
        self,
        user_id: UUID,
        stored: str | None,
        renewed: str | None,
        code: str | None,
        device: Device,
        with_refresh_token: bool,
    ) -> SignIn | None:
        """None for a wrong code. The user's row is held, so that a code counts once and an old password never."""
        async with self._database.system() as session:
            locked = await lock_user(session, user_id)
            if locked is None or not locked.is_active or locked.password_hash != stored:
                raise _wrong_credentials()  # the password was changed while this one was looked at
            if locked.totp_enabled_at is not None and not await self.factor.take(session, locked, code or ""):
                return None
            if renewed is not None:
                locked.password_hash = renewed
            await self.throttle.passed(session, locked.email, device.address)
            return await self._sessions.open(session, locked, device, with_refresh_token=with_refresh_token)

    async def profile(self, user_id: UUID, *, key_of: UUID | None = None) -> Profile:
        """`key_of`: an API key asks, which is worth this workspace and no administrator's rights."""
        async with self._database.system(read_only=True) as session:
            user = await session.get(User, user_id)
            if user is None:
                raise UnauthenticatedError("This account no longer exists.")
            workspaces = await list_workspaces(session, user_id)
        if key_of is not None:
            workspaces = [workspace for workspace in workspaces if workspace.id == key_of]
        return Profile(
            user.id,
            user.email,
            user.name or None,
            user.is_admin and key_of is None,
            user.email_verified_at is not None,
            bool(user.password_hash),
            user.totp_enabled_at is not None,
            workspaces,
        )

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
            locked = await lock_user(session, principal.user_id)
            if locked is None or locked.password_hash != stored:
                raise _wrong_password()
            await store_password(session, locked, password_hash, keep=principal.session_id)
            self.recovery.notify_changed(session, locked)
            audit.record(session, "password.changed")

    async def rename(self, principal: Principal, name: str) -> None:
        """What the user is called."""
        checked = normalize_name(name)
        async with self._database.system() as session:
            user = await session.get_one(User, principal.user_id, with_for_update=True)
            user.name = checked

    async def export(self, principal: Principal) -> dict[str, Any]:
        """What is known about the user, to take along."""
        async with self._database.system(read_only=True) as session:
            return await export_account(session, principal.user_id)

    async def delete(self, principal: Principal, password: str, code: str | None) -> None:
        """The account goes, after its password and code were given once more. Raises as `delete_account` does."""
        async with self._database.system(read_only=True) as session:
            user = await session.get_one(User, principal.user_id)
        fits, _ = await self.passwords.verify(password, user.password_hash or None)
        if not fits:
            raise ForbiddenError("The password is wrong.", code="wrong_password", field="password")
        async with self._database.system() as session:
            await lock_jobs(session, principal.user_id)
            locked = await lock_user(session, principal.user_id)
            if locked is None:
                return
            if locked.totp_enabled_at is not None and not await self.factor.take(session, locked, code or ""):
                raise wrong_code(ForbiddenError, field="code")
            await delete_account(session, principal.user_id)
            session.after_commit(self._wake_removal)

    async def create_admin(self, *, email: str, password: str, name: str = "") -> UUID:
        """For the command line, whatever ALLOW_REGISTRATION says. Raises `ConflictError` for a known address."""
        email = normalize_email(email)
        check_new_password(password, email, self._settings.identity.password_min_length)
        password_hash = await self.passwords.hash(password)
        async with self._database.system() as session:
            user = await add_user(session, email, normalize_name(name), password_hash, is_admin=True)
            user.email_verified_at = utcnow()  # whoever runs the server vouches for it
            return user.id

    async def reset_factor(self, *, email: str) -> None:
        """For the command line, where somebody lost their device. Raises `NotFoundError`."""
        async with self._database.system() as session:
            found = await find_user(session, email)
            locked = await lock_user(session, found.id) if found is not None else None
            if locked is None:
                raise NotFoundError(f"There is no account with the address {email}.")
            await take_off(session, locked)

    async def set_password(self, *, email: str, password: str) -> None:
        """For the command line: a new password, and all sessions of the account end. Raises `NotFoundError`."""
        email = email.strip().casefold()
        check_new_password(password, email, self._settings.identity.password_min_length)
        password_hash = await self.passwords.hash(password)
        async with self._database.system() as session:
            found = await find_user(session, email)
            locked = await lock_user(session, found.id) if found is not None else None
            if locked is None:
                raise NotFoundError(f"There is no account with the address {email}.")
            await store_password(session, locked, password_hash)


def _wrong_credentials() -> UnauthenticatedError:
    return UnauthenticatedError("The e-mail address or the password is wrong.")


def _wrong_password() -> ForbiddenError:
    return ForbiddenError("The current password is wrong.", code="wrong_password", field="current_password")
