"""How much a workspace may use: set aside before the work, settled after it. No limit unless an administrator sets one.

Whoever sets something aside holds the workspace's row, so that two cannot take the same last minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import QuotaExceededError
from app.db.session import SystemSession, TenantSession
from app.models.media import MediaFile, Upload, UploadState
from app.models.usage import UsageRecord, UsageState
from app.models.workspaces import Invitation, Membership, Workspace

MINUTE_MS = 60_000
_ASK = "An administrator of this server can raise the limit."


@dataclass(frozen=True, slots=True)
class MinutesUsed:
    """Audio of one month, in milliseconds: settled, and set aside for work under way."""

    used_ms: int
    reserved_ms: int


def month_of(moment: datetime) -> str:
    """The month that counts, in UTC."""
    return f"{moment:%Y-%m}"


async def reserve_minutes(
    session: TenantSession | SystemSession,
    workspace_id: UUID,
    *,
    job_id: UUID,
    run: int,
    user_id: UUID | None,
    audio_ms: int,
) -> None:
    """Set `audio_ms` aside for a run of a job; more than before where it has some already, never less.

    Counts in the month in which it is set aside. Raises `QuotaExceededError` where the month has less left, also where
    nothing at all is left and the length is not known yet (0).
    """
    workspace = await _hold(session, workspace_id)
    month = month_of(utcnow())
    await session.execute(  # what an earlier run of the job had set aside is this one's now
        sa.update(UsageRecord)
        .where(UsageRecord.job_id == job_id, UsageRecord.run < run, UsageRecord.state == UsageState.RESERVED)
        .values(state=UsageState.RELEASED, audio_ms=0, settled_at=utcnow())
        .execution_options(synchronize_session=False)
    )
    record = await _record(session, job_id, run)
    # A run that goes on after it was settled (a failed one, retried) is settled anew, for all of it.
    held = record.audio_ms if record is not None and record.state == UsageState.RESERVED else 0
    own = record.audio_ms if record is not None and record.month == month else 0
    if workspace.quota_minutes is not None:
        minutes = await minutes_used(session, workspace_id, month)
        left = workspace.quota_minutes * MINUTE_MS - minutes.used_ms - minutes.reserved_ms + own
        if left <= 0 or audio_ms > left:
            raise _no_minutes(workspace.quota_minutes, max(0, left), audio_ms)
    if record is None:
        session.add(
            UsageRecord(
                workspace_id=workspace_id,
                job_id=job_id,
                run=run,
                user_id=user_id,
                month=month,
                audio_ms=audio_ms,
            )
        )
    else:
        if record.state != UsageState.RESERVED:
            record.month, record.created_at = month, utcnow()
        record.state = UsageState.RESERVED
        record.settled_at = None
        record.audio_ms = max(held, audio_ms)
    await session.flush()


async def settle_minutes(session: TenantSession | SystemSession, *, job_id: UUID, audio_ms: int) -> None:
    """What the work took in the end; 0 gives everything back. In the transaction that ends it, so that it counts once.

    A plan that changed on the way (another engine took over) has begun a new run, for which nothing was set aside
    anew: whatever the job holds is settled as one.
    """
    found = await session.execute(
        sa.select(UsageRecord)
        .where(UsageRecord.job_id == job_id, UsageRecord.state == UsageState.RESERVED)
        .order_by(UsageRecord.run.desc())
        .execution_options(populate_existing=True)
    )
    for record in found.scalars():
        record.state = UsageState.SETTLED if audio_ms else UsageState.RELEASED
        record.audio_ms, record.settled_at = audio_ms, utcnow()
        audio_ms = 0
    await session.flush()


async def minutes_used(session: TenantSession | SystemSession, workspace_id: UUID, month: str) -> MinutesUsed:
    """Of a month ("2026-11")."""
    total = sa.func.coalesce(sa.func.sum(UsageRecord.audio_ms), 0)
    rows = await session.execute(
        sa.select(UsageRecord.state, total)
        .where(UsageRecord.workspace_id == workspace_id, UsageRecord.month == month)
        .group_by(UsageRecord.state)
    )
    sums = {state: int(amount) for state, amount in rows}
    return MinutesUsed(sums.get(UsageState.SETTLED, 0), sums.get(UsageState.RESERVED, 0))


async def require_room_for_bytes(session: TenantSession, size: int) -> None:
    """Raises `QuotaExceededError` where `size` more bytes are over what the workspace may store.

    Uploads under way count with what they declared, so that nobody announces more than there is room for.
    """
    workspace = await _hold(session, session.workspace_id)
    limit = workspace.quota_storage_bytes
    if limit is None:
        return
    used = await storage_used(session, session.workspace_id)
    if used + size > limit:
        raise QuotaExceededError(
            f"This workspace may store {limit} bytes and holds {used}; this file has {size}. "
            f"Delete recordings you no longer need. {_ASK}",
            field="storage_bytes",
        )


async def bytes_left(session: TenantSession) -> int | None:
    """What still fits; None where there is no limit."""
    workspace = await session.get_one(Workspace, session.workspace_id)
    if workspace.quota_storage_bytes is None:
        return None
    return max(0, workspace.quota_storage_bytes - await storage_used(session, session.workspace_id))


async def storage_used(session: TenantSession | SystemSession, workspace_id: UUID) -> int:
    """Bytes of recordings, and of uploads that were announced and not finished."""
    files = sa.select(sa.func.coalesce(sa.func.sum(MediaFile.size), 0)).where(
        MediaFile.workspace_id == workspace_id
    )
    uploads = sa.select(sa.func.coalesce(sa.func.sum(Upload.size), 0)).where(
        Upload.workspace_id == workspace_id, Upload.state == UploadState.OPEN
    )
    return int((await session.execute(files)).scalar_one() + (await session.execute(uploads)).scalar_one())


async def require_room_for_member(
    session: SystemSession, workspace: Workspace, *, joining: bool = False
) -> None:
    """Raises `QuotaExceededError` where one more does not fit. Invitations that are open count until they are accepted;
    who is `joining` has one. The caller holds the workspace's row."""
    if workspace.quota_members is None:
        return
    members = await count_members(session, workspace.id)
    if not joining:
        members += int(
            await session.scalar(
                sa.select(sa.func.count())
                .select_from(Invitation)
                .where(
                    Invitation.workspace_id == workspace.id,
                    Invitation.accepted_at.is_(None),
                    Invitation.expires_at > utcnow(),
                )
            )
            or 0
        )
    if members >= workspace.quota_members:
        raise QuotaExceededError(
            f"This workspace may have {workspace.quota_members} members, open invitations included. {_ASK}",
            field="members",
        )


async def count_members(session: TenantSession | SystemSession, workspace_id: UUID) -> int:
    counted = sa.select(sa.func.count()).select_from(Membership)
    return int(await session.scalar(counted.where(Membership.workspace_id == workspace_id)) or 0)


async def _hold(session: TenantSession | SystemSession, workspace_id: UUID) -> Workspace:
    found = await session.execute(
        sa.select(Workspace)
        .where(Workspace.id == workspace_id)
        # Not the whole lock: rows that this transaction added refer to the workspace, and so may another one's, which
        # then would wait for each other.
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found.scalar_one()


async def _record(session: TenantSession | SystemSession, job_id: UUID, run: int) -> UsageRecord | None:
    found = await session.execute(
        sa.select(UsageRecord).where(UsageRecord.job_id == job_id, UsageRecord.run == run)
    )
    return found.scalar_one_or_none()


def _no_minutes(limit: int, left_ms: int, audio_ms: int) -> QuotaExceededError:
    """`audio_ms` is what is known of the recording so far: it may be longer. What is left is rounded down, what is asked
    for up, and both to seconds, so that the sentence never says that it fits."""
    month = f"{limit} minutes" if limit != 1 else "one minute"
    are = "are" if limit != 1 else "is"
    left = (
        f"{_length(left_ms // 1000)} of its {month} of this month {are} left"
        if left_ms >= 1000
        else f"the {month} of this month {are} used up"
    )
    asked = f", and this recording has at least {_length(-(-audio_ms // 1000))}" if audio_ms else ""
    return QuotaExceededError(
        f"In this workspace {left}{asked}. Next month there are new ones. {_ASK}", field="minutes"
    )


def _length(seconds: int) -> str:
    """In minutes and seconds, as players write it: "3:01"."""
    return f"{seconds // 60}:{seconds % 60:02}"
