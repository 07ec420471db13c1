"""Sign-ins: a session is a family of refresh tokens, and every access token names its session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import NotFoundError, UnauthenticatedError
from app.core.security import (
    SIGN_IN_AGAIN,
    AccessClaims,
    AccessTokens,
    derive_key,
    derive_token,
    hash_token,
    new_opaque_token,
)
from app.db.session import Database, SystemSession
from app.models.users import RefreshToken, Session, Ticket, User
from app.services import audit
from app.services.identity.api_keys import KeyGrant, KeyHolder, identify_key, looks_like_key, reload_key

GRACE = timedelta(seconds=10)
TICKET_LIFE = timedelta(seconds=30)
_MAX_USER_AGENT = 300


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling, and in which session. Fresh from the database on every request.

    With an API key there is a `key` instead of a session, and nobody is an administrator.
    """

    user_id: UUID
    session_id: UUID | None
    email: str
    is_admin: bool
    key: KeyGrant | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """Where a sign-in came from, for the list of sessions."""

    user_agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A signed-in session; `refresh_token` only where the caller keeps one."""

    user_id: UUID
    access_token: str
    refresh_token: str | None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A device that is signed in; `current` is the one that asks."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    user_agent: str
    address: str
    current: bool


def _open_session(row: Session, principal: Principal) -> OpenSession:
    return OpenSession(
        row.id,
        row.created_at,
        row.last_used_at,
        row.expires_at,
        row.user_agent,
        row.address,
        row.id == principal.session_id,
    )


class Sessions:
    """Opens, checks, renews and ends sessions. Every method is one short transaction of its own."""

    def __init__(
        self, database: Database, tokens: AccessTokens, *, secret: bytes, refresh_lifetime: timedelta
    ) -> None:
        self.refresh_lifetime = refresh_lifetime
        self._database = database
        self._tokens = tokens
        self._refresh_key = derive_key(secret, "refresh-token")

    @property
    def access_lifetime_seconds(self) -> int:
        return self._tokens.lifetime_seconds

    async def authenticate(self, access_token: str) -> Principal:
        """`identify` in a short transaction of its own."""
        async with self._database.system(read_only=True) as session:
            return await self.identify(session, access_token)

    async def identify(self, session: SystemSession, access_token: str) -> Principal:
        """Raises `UnauthenticatedError` for a bad token or key, an ended session and a disabled user alike."""
        if looks_like_key(access_token):
            return _of_key(await identify_key(session, access_token))
        claims = self._tokens.verify(access_token)
        principal = await _load_principal(session, claims.session_id)
        if principal is None or principal.user_id != claims.user_id:
            raise UnauthenticatedError(SIGN_IN_AGAIN)
        return principal

    async def reload(self, principal: Principal) -> Principal:
        """The same caller as of now. Raises `UnauthenticatedError` once the session has ended."""
        async with self._database.system(read_only=True) as session:
            if principal.key is not None:
                return _of_key(await reload_key(session, principal.key.id))
            assert principal.session_id is not None
            current = await _load_principal(session, principal.session_id)
        if current is None:
            raise UnauthenticatedError(SIGN_IN_AGAIN)
        return current

    async def is_open(self, session: SystemSession, session_id: UUID, user_id: UUID) -> bool:
        """Whether this user is still signed in there."""
        principal = await _load_principal(session, session_id)
        return principal is not None and principal.user_id == user_id

    async def open(
        self, session: SystemSession, user: User, device: Device, *, with_refresh_token: bool = True
    ) -> SignIn:
        """A new session inside the caller's transaction. Without a refresh token it ends with its access token."""
        now = utcnow()
        life = (
            self.refresh_lifetime if with_refresh_token else timedelta(seconds=self.access_lifetime_seconds)
        )
        row = Session(
            user_id=user.id,
            expires_at=now + life,
            user_agent=_plain(device.user_agent),
            address=_plain(device.address),
        )
        session.add(row)
        await session.flush()
        audit.record(session, "session.opened", user_id=user.id, target=("session", row.id))
        refresh_token = new_opaque_token() if with_refresh_token else None
        if refresh_token is not None:
            session.add(RefreshToken(token_hash=hash_token(refresh_token), session_id=row.id))
            await session.flush()
        return SignIn(user.id, self._tokens.issue(user.id, row.id), refresh_token)

    def read_claims(self, token: str) -> AccessClaims:
        """What a token says, by its signature alone: its session may have ended. Raises `UnauthenticatedError`."""
        return self._tokens.verify(token)

    async def refresh(self, refresh_token: str) -> SignIn:
        """Trades a refresh token for its child and a new access token.

        The child is derived from its parent, and the newest parent stays good for 10 s, so that requests that race
        (two tabs, a lost answer) all get the same child. Any later use of a rotated token means that somebody else
        holds the family: the session ends. Races on one family queue on its row (Postgres) or on the writer (SQLite).
        """
        async with self._database.system() as session:
            sign_in = await self._rotate(session, refresh_token)
        if sign_in is None:  # raised outside of the transaction: a revocation has to be committed
            raise UnauthenticatedError("Sign in again: this session has ended.")
        return sign_in

    async def _rotate(self, session: SystemSession, refresh_token: str) -> SignIn | None:
        family = await session.scalar(
            sa.select(Session)
            .join(RefreshToken, RefreshToken.session_id == Session.id)
            .where(RefreshToken.token_hash == hash_token(refresh_token))
            .with_for_update(of=Session)
        )
        now = utcnow()
        if family is None or await _load_principal(session, family.id, now) is None:
            return None
        child = derive_token(self._refresh_key, refresh_token)
        presented = await session.get_one(RefreshToken, hash_token(refresh_token), populate_existing=True)
        if presented.rotated_at is None:
            presented.rotated_at = now
            session.add(RefreshToken(token_hash=hash_token(child), session_id=family.id, created_at=now))
            family.last_used_at = now
            family.expires_at = now + self.refresh_lifetime
        elif not await _within_grace(session, presented, child, now):
            family.revoked_at = now
            audit.record(
                session, "session.reuse_detected", user_id=family.user_id, target=("session", family.id)
            )
            return None
        return SignIn(family.user_id, self._tokens.issue(family.user_id, family.id), child)

    async def end(self, *, refresh_token: str | None = None, access_token: str | None = None) -> None:
        """Ends the session that either token belongs to, at once. Unknown and ended ones are no error."""
        async with self._database.system() as session:
            if refresh_token:
                token = await session.get(RefreshToken, hash_token(refresh_token))
                if token is not None:
                    await _close(session, Session.id == token.session_id)
            if access_token:
                try:
                    claims = self._tokens.verify(access_token)
                except UnauthenticatedError:
                    return
                await _close(session, Session.id == claims.session_id, Session.user_id == claims.user_id)

    async def issue_ticket(self, principal: Principal) -> str:
        """A pass for one WebSocket, good for 30 s and once."""
        ticket, now = new_opaque_token(), utcnow()
        async with self._database.system() as session:
            await session.execute(sa.delete(Ticket).where(Ticket.expires_at < now))
            session.add(
                Ticket(
                    ticket_hash=hash_token(ticket),
                    session_id=principal.session_id,
                    expires_at=now + TICKET_LIFE,
                )
            )
        return ticket

    async def redeem_ticket(self, ticket: str) -> Principal:
        """Raises `UnauthenticatedError` for unknown, used and expired tickets, and for those of ended sessions."""
        async with self._database.system() as session:
            row = (
                await session.execute(
                    sa.delete(Ticket)
                    .where(Ticket.ticket_hash == hash_token(ticket))
                    .returning(Ticket.session_id, Ticket.expires_at)
                )
            ).one_or_none()
            principal = None
            if row is not None and row.expires_at > utcnow():
                principal = await _load_principal(session, row.session_id)
        if principal is None:
            raise UnauthenticatedError(
                "This ticket is used up, expired or not one of ours. Ask for a new one."
            )
        return principal

    async def list_open(self, principal: Principal) -> list[OpenSession]:
        """Where the user is signed in, newest first."""
        async with self._database.system(read_only=True) as session:
            rows = await session.execute(
                sa.select(Session)
                .where(
                    Session.user_id == principal.user_id,
                    Session.revoked_at.is_(None),
                    Session.expires_at > utcnow(),
                )
                .order_by(Session.created_at.desc(), Session.id.desc())
            )
            return [_open_session(row, principal) for row in rows.scalars()]

    async def revoke(self, principal: Principal, session_id: UUID) -> None:
        """Signs one device out at once. Raises `NotFoundError`, for other people's sessions too."""
        async with self._database.system() as session:
            gone = await session.execute(
                sa.update(Session)
                .where(
                    Session.id == session_id,
                    Session.user_id == principal.user_id,
                    Session.revoked_at.is_(None),
                )
                .values(revoked_at=utcnow())
                .returning(Session.id)
            )
            if gone.one_or_none() is None:
                raise NotFoundError
            audit.record(session, "session.revoked", target=("session", session_id))

    async def revoke_others(self, principal: Principal) -> None:
        """Signs every other device out at once."""
        async with self._database.system() as session:
            await end_sessions(session, principal.user_id, keep=principal.session_id)
            audit.record(session, "session.others_revoked")

    async def purge(self, *, keep: timedelta = timedelta(days=7)) -> int:
        """Removes sessions that ended longer ago than `keep`, with their tokens. Returns how many; for the sweeper."""
        before = utcnow() - keep
        async with self._database.system() as session:
            ended = sa.or_(Session.expires_at < before, Session.revoked_at < before)
            removed = await session.execute(sa.delete(Session).where(ended).returning(Session.id))
            return len(removed.all())


def _of_key(holder: KeyHolder) -> Principal:
    return Principal(holder.user_id, None, holder.email, is_admin=False, key=holder.grant)


async def end_sessions(session: SystemSession, user_id: UUID, *, keep: UUID | None = None) -> None:
    """Ends all of a user's sessions but `keep`, at once."""
    others = [Session.user_id == user_id] + ([Session.id != keep] if keep else [])
    await _revoke(session, *others)


async def _revoke(session: SystemSession, *which: sa.ColumnElement[bool]) -> None:
    await session.execute(
        sa.update(Session).where(*which, Session.revoked_at.is_(None)).values(revoked_at=utcnow())
    )


async def _close(session: SystemSession, *which: sa.ColumnElement[bool]) -> None:
    """Signed out, as opposed to revoked from elsewhere; nothing where it has ended already."""
    closed = await session.execute(
        sa.update(Session)
        .where(*which, Session.revoked_at.is_(None))
        .values(revoked_at=utcnow())
        .returning(Session.id, Session.user_id)
    )
    for row in closed:
        audit.record(session, "session.closed", user_id=row.user_id, target=("session", row.id))


async def _within_grace(session: SystemSession, parent: RefreshToken, child: str, now: datetime) -> bool:
    """Only the immediate parent of the newest token, and only for 10 s."""
    row = await session.get(RefreshToken, hash_token(child), populate_existing=True)
    newest = row is not None and row.rotated_at is None
    return newest and parent.rotated_at is not None and now - parent.rotated_at <= GRACE


async def _load_principal(
    session: SystemSession, session_id: UUID, now: datetime | None = None
) -> Principal | None:
    """None where the session has ended or its user is disabled."""
    row = (
        await session.execute(
            sa.select(User.id, User.email, User.is_admin)
            .join(Session, Session.user_id == User.id)
            .where(
                Session.id == session_id,
                Session.revoked_at.is_(None),
                Session.expires_at > (now or utcnow()),
                User.is_active,
            )
        )
    ).one_or_none()
    return Principal(row.id, session_id, row.email, row.is_admin) if row else None


def _plain(text: str) -> str:
    """What a client says about itself, without characters that Postgres refuses."""
    return text.replace("\0", "")[:_MAX_USER_AGENT]
