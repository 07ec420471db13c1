"""One job for one account, to view or to edit, whatever else they see of its workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import NotFoundError
from app.core.pagination import Cursor
from app.db.session import Database, SystemSession, TenantSession
from app.models import Job, User, Workspace
from app.models.shares import JobGrant, Permission
from app.services import audit
from app.services.transcripts.share_grant import AccountSource, ShareGrant
from app.services.transcripts.shares import title_of


@dataclass(frozen=True, slots=True)
class GrantView:
    """Who may see a job, and how."""

    user_id: UUID
    email: str
    name: str | None
    permission: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SharedJobView:
    """One line of "shared with me"."""

    job_id: UUID
    workspace_name: str
    title: str
    permission: str
    duration_ms: int | None
    status: str
    created_at: datetime


class UnknownAddressError(NotFoundError):
    """Nobody has an account under this address."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody has an account under this address. Ask them to register first, or share a link."
        )
        self.field = "email"


class JobGrants:
    """Given and taken by writers of the workspace; used by whoever was named."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self, session: TenantSession, job_id: UUID, *, email: str, permission: Permission, by: UUID
    ) -> GrantView:
        """Give it, or change what was given. Raises `NotFoundError`."""
        await _job(session, job_id)
        user = await session.scalar(
            sa.select(User).where(User.email == email.strip().casefold(), User.is_active.is_(True))
        )
        if user is None:
            raise UnknownAddressError
        await session.execute(
            sa.delete(JobGrant).where(JobGrant.job_id == job_id, JobGrant.user_id == user.id)
        )
        grant = JobGrant(
            workspace_id=session.workspace_id,
            job_id=job_id,
            user_id=user.id,
            permission=permission,
            created_by=by,
            created_at=utcnow(),
        )
        session.add(grant)
        await session.flush()
        _record(session, "granted", job_id, user.id, permission=str(permission))
        return GrantView(user.id, user.email, user.name or None, permission, grant.created_at)

    async def list_of(self, session: TenantSession, job_id: UUID) -> list[GrantView]:
        """Newest first."""
        await _job(session, job_id)
        rows = await session.execute(
            sa.select(JobGrant, User)
            .join(User, User.id == JobGrant.user_id)
            .where(JobGrant.job_id == job_id)
            .order_by(JobGrant.created_at.desc(), JobGrant.user_id)
        )
        return [
            GrantView(user.id, user.email, user.name or None, grant.permission, grant.created_at)
            for grant, user in rows
        ]

    async def revoke(self, session: TenantSession, job_id: UUID, user_id: UUID) -> None:
        """From the next request on; open streams end within seconds."""
        gone = await session.execute(
            sa.delete(JobGrant)
            .where(JobGrant.job_id == job_id, JobGrant.user_id == user_id)
            .returning(JobGrant.user_id)
            .execution_options(synchronize_session=False)
        )
        if gone.one_or_none() is None:
            raise NotFoundError
        _record(session, "revoked", job_id, user_id)

    async def shared_with(
        self, user_id: UUID, *, limit: int, cursor: Cursor | None
    ) -> tuple[list[SharedJobView], Cursor | None]:
        """What others have shared with this account, newest first."""
        query = _live().where(JobGrant.user_id == user_id)
        if cursor is not None:
            query = query.where(
                sa.tuple_(JobGrant.created_at, JobGrant.job_id)
                < sa.tuple_(
                    sa.literal(cursor.created_at, JobGrant.created_at.type),
                    sa.literal(cursor.id, JobGrant.job_id.type),
                )
            )
        query = query.order_by(JobGrant.created_at.desc(), JobGrant.job_id.desc()).limit(limit + 1)
        async with self._database.system(read_only=True) as session:
            rows = (await session.execute(query)).all()
        views = [
            SharedJobView(
                job.id, name, title_of(job), grant.permission, job.duration_ms, job.status, grant.created_at
            )
            for grant, job, name in rows[:limit]
        ]
        more = len(rows) > limit
        return views, Cursor(views[-1].created_at, views[-1].job_id) if more else None

    async def open(self, user_id: UUID, job_id: UUID) -> ShareGrant:
        """The capability. Raises `NotFoundError` for whatever was not shared with them."""
        async with self._database.system(read_only=True) as session:
            grant = await _find(session, user_id, job_id)
        return ShareGrant(
            grant.workspace_id, grant.job_id, Permission(grant.permission), True, AccountSource(user_id)
        )


def _live() -> sa.Select[JobGrant, Job, str]:
    return (
        sa.select(JobGrant, Job, Workspace.name)
        .join(Job, sa.and_(Job.id == JobGrant.job_id, Job.workspace_id == JobGrant.workspace_id))
        .join(Workspace, Workspace.id == JobGrant.workspace_id)
        .where(Workspace.deleted_at.is_(None))
    )


async def _find(session: SystemSession, user_id: UUID, job_id: UUID) -> JobGrant:
    row = (
        await session.execute(_live().where(JobGrant.user_id == user_id, JobGrant.job_id == job_id))
    ).one_or_none()
    if row is None:
        raise NotFoundError
    return row[0]


async def _job(session: TenantSession, job_id: UUID) -> None:
    if (await session.execute(sa.select(Job.id).where(Job.id == job_id))).one_or_none() is None:
        raise NotFoundError


def _record(session: TenantSession, what: str, job_id: UUID, user_id: UUID, **detail: Any) -> None:
    audit.record(
        session,
        f"job_grant.{what}",
        workspace_id=session.workspace_id,
        target=("job", job_id),
        grantee=str(user_id),
        **detail,
    )
