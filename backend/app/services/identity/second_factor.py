"""Time-based one-time passwords (RFC 6238) and the codes that stand in for a lost device."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from uuid import UUID

import pyotp
import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import ForbiddenError, InvalidStateError, UnauthenticatedError
from app.core.passwords import Passwords
from app.core.security import Sealer, hash_token, same_text
from app.db.session import Database, SystemSession
from app.models.credentials import BackupCode
from app.models.users import User
from app.services import audit

STEP_SECONDS = 30
DRIFT_STEPS = 1
BACKUP_CODES = 10
_CODE_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class FactorState:
    """Whether it is on, and how many backup codes are left."""

    enabled: bool
    backup_codes_left: int


@dataclass(frozen=True, slots=True)
class FactorSetup:
    """A secret that waits for its first code; `otpauth_url` is what a QR code shows."""

    secret: str
    otpauth_url: str


class SecondFactor:
    """Sets up, checks and takes off the second factor. Secrets are sealed in the database."""

    def __init__(self, database: Database, passwords: Passwords, sealer: Sealer, *, issuer: str) -> None:
        self._database = database
        self._passwords = passwords
        self._sealer = sealer
        self._issuer = issuer

    async def state(self, user_id: UUID) -> FactorState:
        async with self._database.system(read_only=True) as session:
            user = await session.get_one(User, user_id)
            left = await session.scalar(
                sa.select(sa.func.count())
                .select_from(BackupCode)
                .where(BackupCode.user_id == user_id, BackupCode.used_at.is_(None))
            )
        enabled = user.totp_enabled_at is not None
        return FactorState(enabled, int(left or 0) if enabled else 0)

    async def set_up(self, user_id: UUID, password: str) -> FactorSetup:
        """A new secret, which counts for nothing until `enable`. Raises `ForbiddenError`, `InvalidStateError`."""
        await self._check_password(user_id, password)
        secret = pyotp.random_base32(32)
        async with self._database.system() as session:
            user = await _lock(session, user_id)
            if user.totp_enabled_at is not None:
                raise InvalidStateError(
                    "The second factor is on already. Take it off first to set up another device."
                )
            user.totp_secret, user.totp_last_step = self._sealer.seal(secret), None
            email = user.email
        url = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=self._issuer)
        return FactorSetup(secret, url)

    async def enable(self, user_id: UUID, code: str) -> list[str]:
        """On from now on, where `code` shows that the device has the secret. Answers the backup codes, once."""
        async with self._database.system() as session:
            user = await _lock(session, user_id)
            if user.totp_enabled_at is not None or user.totp_secret is None:
                raise InvalidStateError("Set the second factor up first.")
            if not self._take_step(user, code):
                raise wrong_code(ForbiddenError, field="code")
            user.totp_enabled_at = utcnow()
            audit.record(session, "totp.enabled", user_id=user_id)
            return await _new_codes(session, user_id)

    async def disable(self, user_id: UUID, password: str, code: str) -> None:
        await self._check_password(user_id, password)
        async with self._database.system() as session:
            user = await self._proven(session, user_id, code)
            await take_off(session, user)

    async def renew_codes(self, user_id: UUID, password: str, code: str) -> list[str]:
        """Ten new backup codes; the old ones are worth nothing any more."""
        await self._check_password(user_id, password)
        async with self._database.system() as session:
            await self._proven(session, user_id, code)
            audit.record(session, "totp.backup_codes_renewed", user_id=user_id)
            return await _new_codes(session, user_id)

    async def take(self, session: SystemSession, user: User, code: str) -> bool:
        """Whether `code` proves the factor; then it is used up. The caller holds the user's row, so that of many
        parallel uses exactly one counts."""
        text = "".join(code.split()).lower()
        if text.isdigit():
            return self._take_step(user, text)
        used = await session.execute(
            sa.update(BackupCode)
            .where(
                BackupCode.user_id == user.id,
                BackupCode.code_hash == _hash(text),
                BackupCode.used_at.is_(None),
            )
            .values(used_at=utcnow())
            .returning(BackupCode.user_id)
        )
        return used.one_or_none() is not None

    def _take_step(self, user: User, code: str) -> bool:
        """A code of now, or of one step before or after; none of a step that was used, or older."""
        if user.totp_secret is None or len(code) != 6 or not code.isascii():
            return False
        totp = pyotp.TOTP(self._sealer.unseal(user.totp_secret))
        now = int(time.time()) // STEP_SECONDS
        for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
            if user.totp_last_step is not None and step <= user.totp_last_step:
                continue
            if same_text(code, totp.at(step * STEP_SECONDS)):
                user.totp_last_step = step
                return True
        return False

    async def _proven(self, session: SystemSession, user_id: UUID, code: str) -> User:
        user = await _lock(session, user_id)
        if user.totp_enabled_at is None:
            raise InvalidStateError("The second factor is not on.")
        if not await self.take(session, user, code):
            raise wrong_code(ForbiddenError, field="code")
        return user

    async def _check_password(self, user_id: UUID, password: str) -> None:
        async with self._database.system(read_only=True) as session:
            user = await session.get_one(User, user_id)
        fits, _ = await self._passwords.verify(password, user.password_hash or None)
        if not fits:
            raise ForbiddenError("The password is wrong.", code="wrong_password", field="password")


async def take_off(session: SystemSession, user: User) -> None:
    """Off, with everything that belongs to it."""
    user.totp_secret = user.totp_enabled_at = user.totp_last_step = None
    await session.execute(sa.delete(BackupCode).where(BackupCode.user_id == user.id))
    audit.record(session, "totp.disabled", user_id=user.id)


def wrong_code(
    kind: type[ForbiddenError] | type[UnauthenticatedError], *, field: str | None = None
) -> ForbiddenError | UnauthenticatedError:
    return kind("This code is wrong, or was used before.", code="totp_invalid", field=field)


async def _new_codes(session: SystemSession, user_id: UUID) -> list[str]:
    await session.execute(sa.delete(BackupCode).where(BackupCode.user_id == user_id))
    codes = ["".join(secrets.choice(_CODE_ALPHABET) for _ in range(12)) for _ in range(BACKUP_CODES)]
    session.add_all(BackupCode(user_id=user_id, code_hash=_hash(code)) for code in codes)
    await session.flush()
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def _hash(code: str) -> str:
    """60 random bits behind a password and a throttle: a plain hash is enough."""
    return hash_token(code.replace("-", ""))


async def _lock(session: SystemSession, user_id: UUID) -> User:
    return await session.get_one(User, user_id, with_for_update=True, populate_existing=True)
