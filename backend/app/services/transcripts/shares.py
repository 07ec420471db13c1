"""Share links: whoever holds one reads one job. Tokens are kept as hashes, passwords as argon2."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import InvalidInputError, NotFoundError
from app.core.guesses import Guesses
from app.core.passwords import Passwords
from app.core.security import derive_key, hash_token, new_opaque_token
from app.db.session import Database, SystemSession, TenantSession
from app.models import Job, Workspace
from app.models.shares import Permission, ShareLink
from app.services import audit
from app.services.transcripts.share_grant import (
    LinkSource,
    ShareGrant,
    ShareLockedError,
    WrongPasswordError,
)
from app.services.transcripts.share_unlock import is_proof, lock_of, make_proof

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What the landing page may say; without `unlocked` only that there is something."""

    title: str | None
    duration_ms: int | None
    status: str | None
    needs_password: bool
    unlocked: bool
    allow_download: bool
    created_at: datetime


class ShareLinks:
    """`secret` signs what shows that a password was given."""

    def __init__(self, database: Database, passwords: Passwords, *, secret: bytes) -> None:
        self._database, self._passwords = database, passwords
        self._key = derive_key(secret, "share-unlock")
        self._by_address = Guesses(10, 60)
        self._by_link = Guesses(100, 600)

    async def create(
        self,
        session: TenantSession,
        job_id: UUID,
        *,
        user_id: UUID,
        password: str | None,
        expires_at: datetime | None,
        allow_download: bool,
    ) -> tuple[ShareLink, str]:
        """The link and its token, which nobody can read again. Raises `NotFoundError`, `InvalidInputError`."""
        _check_end(expires_at)
        hashed = None if password is None else await self._passwords.hash(password)
        await _job(session, job_id)
        token = new_opaque_token()
        link = ShareLink(
            workspace_id=session.workspace_id,
            job_id=job_id,
            created_by=user_id,
            token_hash=hash_token(token),
            password_hash=hashed,
            allow_download=allow_download,
            expires_at=expires_at,
        )
        session.add(link)
        await session.flush()
        _record(session, link, "created", with_password=hashed is not None, allow_download=allow_download)
        return link, token

    async def list(self, session: TenantSession, job_id: UUID) -> list[ShareLink]:
        """Those of a job that were not revoked, newest first; expired ones too."""
        await _job(session, job_id)
        rows = await session.scalars(
            sa.select(ShareLink)
            .where(ShareLink.job_id == job_id, ShareLink.revoked_at.is_(None))
            .order_by(ShareLink.created_at.desc(), ShareLink.id.desc())
        )
        return list(rows)

    async def change(
        self, session: TenantSession, job_id: UUID, link_id: UUID, changes: Mapping[str, Any]
    ) -> ShareLink:
        """`changes` holds what was named: a password or an end of None is taken away."""
        values = dict(changes)
        _check_end(values.get("expires_at"))
        if "password" in values:
            password = values.pop("password")
            values["password_hash"] = None if password is None else await self._passwords.hash(password)
        link = await _link(session, job_id, link_id)
        for name, value in values.items():
            setattr(link, name, value)
        await session.flush()
        _record(session, link, "changed", changed=sorted(changes))
        return link

    async def revoke(self, session: TenantSession, job_id: UUID, link_id: UUID) -> None:
        """Worth nothing from the next request on; open streams end within seconds."""
        link = await _link(session, job_id, link_id)
        link.revoked_at = utcnow()
        _record(session, link, "revoked")

    async def look(self, token: str, proof: str | None) -> OpenedLink:
        """For the landing page. Raises `NotFoundError` for unknown, revoked and expired tokens alike."""
        async with self._database.system(read_only=True) as session:
            link, job = await _find(session, token)
        unlocked = self._is_unlocked(link, proof)
        return OpenedLink(
            title=title_of(job) if unlocked else None,
            duration_ms=job.duration_ms if unlocked else None,
            status=job.status if unlocked else None,
            needs_password=link.password_hash is not None,
            unlocked=unlocked,
            allow_download=link.allow_download,
            created_at=link.created_at,
        )

    async def unlock(self, token: str, password: str, *, address: str) -> str | None:
        """The proof to show from now on, None where there is no password to give.

        Raises `WrongPasswordError`, `NotFoundError`, and `RateLimitedError` for whoever tries too often.
        """
        self._by_address.count(address)
        async with self._database.system(read_only=True) as session:
            link, _ = await _find(session, token)
        lock = lock_of(link.password_hash)
        if lock is None:
            return None
        self._by_link.count(str(link.id))
        fits, _ = await self._passwords.verify(password, link.password_hash)
        if not fits:
            raise WrongPasswordError("This is not the password of this link.", field="password")
        return make_proof(self._key, link.id, lock)

    async def open(self, token: str, proof: str | None) -> ShareGrant:
        """The capability. Raises `NotFoundError`, `ShareLockedError`."""
        async with self._database.system(read_only=True) as session:
            link, _ = await _find(session, token)
        if not self._is_unlocked(link, proof):
            raise ShareLockedError("This link has a password. Give it first.")
        await self._note_use(link)
        source = LinkSource(link.id, lock_of(link.password_hash))
        return ShareGrant(link.workspace_id, link.job_id, Permission.VIEW, link.allow_download, source)

    async def still_open(self, source: LinkSource) -> bool:
        """For open streams: neither revoked nor expired nor locked anew."""
        async with self._database.system(read_only=True) as session:
            row = (await session.execute(_live().where(ShareLink.id == source.link_id))).one_or_none()
        return row is not None and lock_of(row[0].password_hash) == source.lock

    def _is_unlocked(self, link: ShareLink, proof: str | None) -> bool:
        lock = lock_of(link.password_hash)
        return lock is None or is_proof(self._key, proof, link.id, lock)

    async def _note_use(self, link: ShareLink) -> None:
        now = utcnow()
        if link.last_used_at is not None and now - link.last_used_at < _NOTED_EVERY:
            return
        async with self._database.tenant(link.workspace_id) as session:
            await session.execute(
                sa.update(ShareLink).where(ShareLink.id == link.id).values(last_used_at=now)
            )


def title_of(job: Job) -> str:
    """What people call it: the title its site gave, else the name of its file."""
    title = (job.source or {}).get("title")
    return title if isinstance(title, str) and title else job.filename


def _live() -> sa.Select[ShareLink, Job]:
    return (
        sa.select(ShareLink, Job)
        .join(Job, sa.and_(Job.id == ShareLink.job_id, Job.workspace_id == ShareLink.workspace_id))
        .join(Workspace, Workspace.id == ShareLink.workspace_id)
        .where(
            ShareLink.revoked_at.is_(None),
            sa.or_(ShareLink.expires_at.is_(None), ShareLink.expires_at > utcnow()),
            Workspace.deleted_at.is_(None),
        )
    )


async def _find(session: SystemSession, token: str) -> tuple[ShareLink, Job]:
    if not _TOKEN.fullmatch(token):
        raise NotFoundError
    row = (await session.execute(_live().where(ShareLink.token_hash == hash_token(token)))).one_or_none()
    if row is None:
        raise NotFoundError
    return row[0], row[1]


async def _job(session: TenantSession, job_id: UUID) -> None:
    if (await session.execute(sa.select(Job.id).where(Job.id == job_id))).one_or_none() is None:
        raise NotFoundError


async def _link(session: TenantSession, job_id: UUID, link_id: UUID) -> ShareLink:
    link = await session.scalar(
        sa.select(ShareLink)
        .where(ShareLink.id == link_id, ShareLink.job_id == job_id, ShareLink.revoked_at.is_(None))
        .with_for_update()
    )
    if link is None:
        raise NotFoundError
    return link


def _check_end(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= utcnow():
        raise InvalidInputError("A link has to end in the future.", field="expires_at")


def _record(session: TenantSession, link: ShareLink, what: str, **detail: Any) -> None:
    audit.record(
        session,
        f"share_link.{what}",
        workspace_id=link.workspace_id,
        target=("share_link", link.id),
        job_id=str(link.job_id),
        **detail,
    )
