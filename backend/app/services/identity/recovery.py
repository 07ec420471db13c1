"""Mailed tokens: showing that an address is one's own, and a new password for who forgot theirs.

Neither answers nor times tell whether an address is known: every call that begins with an address takes at least
FLOOR_SECONDS, whatever there was to do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import GoneError
from app.core.passwords import Passwords
from app.core.security import hash_token, new_opaque_token
from app.db.session import Database, SystemSession
from app.models.credentials import ExternalIdentity, MailPurpose, MailToken
from app.models.users import User
from app.services import audit
from app.services.identity.api_keys import revoke_all_keys
from app.services.identity.credentials import check_new_password
from app.services.identity.outbox import enqueue_mail
from app.services.identity.second_factor import take_off
from app.services.identity.sessions import end_sessions
from app.services.identity.throttle import Throttle
from app.services.identity.users import find_user

VERIFY_LIFE = timedelta(hours=24)
RESET_LIFE = timedelta(minutes=30)
FLOOR_SECONDS = 0.25
_MAX_TOKENS = 5  # of one purpose that a user may have open


class Recovery:
    """`page_url` is where links lead; `wake` tells the outbox."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        throttle: Throttle,
        *,
        page_url: str,
        min_length: int,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._throttle = throttle
        self._page_url = page_url
        self._min_length = min_length
        self._wake = wake

    async def send_verification(self, session: SystemSession, user: User) -> None:
        """A link that verifies the user's address, within the caller's transaction."""
        token = await self._new_token(session, user, MailPurpose.VERIFY_EMAIL, VERIFY_LIFE)
        if token is None:
            return
        enqueue_mail(
            session,
            to=user.email,
            subject="Confirm your e-mail address",
            body=f"Open this link within a day to confirm your address and use your account:\n\n"
            f"{self._page_url}/verify/{token}\n\nIf you did not register, leave it alone: nothing happens.\n",
        )
        session.after_commit(self._wake)

    async def send_known_notice(self, session: SystemSession, user: User) -> None:
        """Somebody registered an address that has an account: only its owner learns that."""
        enqueue_mail(
            session,
            to=user.email,
            subject="You have an account already",
            body="Somebody, probably you, tried to register with your address, which has an account already.\n\n"
            f"Sign in: {self._page_url}/login\nForgot the password: {self._page_url}/forgot\n",
        )
        session.after_commit(self._wake)

    async def resend_verification(self, email: str) -> None:
        """Where there is an account that waits for it; nobody is told."""
        async with at_least(FLOOR_SECONDS), self._database.system() as session:
            user = await find_user(session, email)
            if user is not None and user.email_verified_at is None:
                await self.send_verification(session, user)

    async def verify_email(self, token: str) -> None:
        """Raises `GoneError` for used, expired and unknown tokens alike."""
        async with self._database.system() as session:
            user = await self._use(session, token, MailPurpose.VERIFY_EMAIL)
            user.email_verified_at = user.email_verified_at or utcnow()
            audit.record(session, "user.email_verified", user_id=user.id)

    async def send_reset(self, email: str) -> None:
        """A link to a new password, where there is an account."""
        async with at_least(FLOOR_SECONDS), self._database.system() as session:
            user = await find_user(session, email)
            if user is None or not user.is_active:
                return
            token = await self._new_token(session, user, MailPurpose.RESET_PASSWORD, RESET_LIFE)
            if token is None:
                return
            enqueue_mail(
                session,
                to=user.email,
                subject="Choose a new password",
                body=f"Open this link within {RESET_LIFE.seconds // 60} minutes to choose a new password:\n\n"
                f"{self._page_url}/reset/{token}\n\n"
                "If you did not ask for it, leave it alone: your password stays as it is.\n",
            )
            audit.record(session, "password.reset_requested", user_id=user.id)
            session.after_commit(self._wake)

    async def check_reset(self, token: str) -> None:
        """Whether the link is still good, without using it up. Raises `GoneError`."""
        async with self._database.system(read_only=True) as session:
            await self._open_token(session, token, MailPurpose.RESET_PASSWORD)

    async def reset_password(self, token: str, new_password: str) -> None:
        """A new password: all sessions end, and the owner is told by mail. The token is good once.

        A password that is refused leaves the token good. Raises `GoneError`, `InvalidInputError`.
        """
        async with self._database.system(read_only=True) as session:
            row = await self._open_token(session, token, MailPurpose.RESET_PASSWORD)
            email = row.email
        check_new_password(new_password, email, self._min_length, field="new_password")
        password_hash = await self._passwords.hash(new_password)
        async with self._database.system() as session:
            user = await self._use(session, token, MailPurpose.RESET_PASSWORD)
            user.password_hash, user.password_changed_at = password_hash, utcnow()
            if user.email_verified_at is None:  # the mail has arrived; who was in before may be somebody else
                user.email_verified_at = utcnow()
                await session.execute(sa.delete(ExternalIdentity).where(ExternalIdentity.user_id == user.id))
                await revoke_all_keys(session, user.id)
                if user.totp_secret is not None:  # on somebody else's device, it would keep the owner out
                    await take_off(session, user)
            await end_sessions(session, user.id)
            await self._throttle.forget(session, user.email)
            self.notify_changed(session, user)
            audit.record(session, "password.reset", user_id=user.id)

    def notify_changed(self, session: SystemSession, user: User) -> None:
        """Tells the owner of an account that its password is another one now."""
        enqueue_mail(
            session,
            to=user.email,
            subject="Your password was changed",
            body="The password of your account was changed, and everybody else was signed out.\n\n"
            f"If that was not you, choose a new one at once: {self._page_url}/forgot\n",
        )
        session.after_commit(self._wake)

    async def _new_token(
        self, session: SystemSession, user: User, purpose: MailPurpose, life: timedelta
    ) -> str | None:
        """None where the user has had enough of them: nobody is flooded through us."""
        now = utcnow()
        await session.execute(sa.delete(MailToken).where(MailToken.expires_at < now - VERIFY_LIFE))
        recent = await session.scalar(
            sa.select(sa.func.count())
            .select_from(MailToken)
            .where(
                MailToken.user_id == user.id,
                MailToken.purpose == purpose,
                MailToken.created_at > now - timedelta(hours=1),
            )
        )
        if int(recent or 0) >= _MAX_TOKENS:
            return None
        token = new_opaque_token()
        session.add(
            MailToken(
                token_hash=hash_token(token),
                user_id=user.id,
                purpose=purpose,
                email=user.email,
                expires_at=now + life,
            )
        )
        return token

    async def _open_token(
        self, session: SystemSession, token: str, purpose: MailPurpose, *, lock: bool = False
    ) -> MailToken:
        query = sa.select(MailToken).where(
            MailToken.token_hash == hash_token(token),
            MailToken.purpose == purpose,
            MailToken.used_at.is_(None),
            MailToken.expires_at > utcnow(),
        )
        row = (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
        if row is None:
            raise GoneError("This link was used or has expired. Ask for a new one.")
        return row

    async def _use(self, session: SystemSession, token: str, purpose: MailPurpose) -> User:
        """The user of the token, which is used up; so are their other open ones of the same purpose."""
        row = await self._open_token(session, token, purpose, lock=True)
        user = await session.get_one(User, row.user_id, with_for_update=True)
        if user.email != row.email or not user.is_active:
            raise GoneError("This link was used or has expired. Ask for a new one.")
        await session.execute(
            sa.update(MailToken)
            .where(MailToken.user_id == user.id, MailToken.purpose == purpose, MailToken.used_at.is_(None))
            .values(used_at=utcnow())
        )
        return user


@asynccontextmanager
async def at_least(seconds: float) -> AsyncIterator[None]:
    """The block takes so long at least, however it ends."""
    began = time.monotonic()
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, seconds - (time.monotonic() - began)))
