"""Asks again and again, for all open streams together, whether those who opened them may still look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.ending import end
from app.core.logging import get_logger
from app.db.session import Database
from app.models.api_keys import ApiKey
from app.models.users import Session, User
from app.models.workspaces import Membership, Workspace

log = get_logger(__name__)

CHECK_SECONDS = 1.5  # who was removed sees nothing any more within 5 s
AT_ONCE = 500  # passes in one query


@dataclass(frozen=True, slots=True)
class MemberPass:
    """What a member's stream stands on: a living session or key, and a place in the workspace."""

    user_id: UUID
    workspace_id: UUID
    session_id: UUID | None
    key_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class GuestPass:
    """What a guest's stream stands on; equal keys are asked about once, by `ask`."""

    key: tuple[object, ...]
    ask: Callable[[], Awaitable[bool]] = field(compare=False)


Pass = MemberPass | GuestPass


class Doorkeeper:
    """One round of questions each CHECK_SECONDS, however many streams are open; none while there are none."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inside: dict[Pass, set[Callable[[], None]]] = {}
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def admit(self, shown: Pass, dismiss: Callable[[], None]) -> Iterator[None]:
        """While inside, `dismiss` is called once the pass does not hold any more."""
        self._inside.setdefault(shown, set()).add(dismiss)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._rounds(), name="doorkeeper")
        try:
            yield
        finally:
            left = self._inside.get(shown, set())
            left.discard(dismiss)
            if not left:
                self._inside.pop(shown, None)

    async def stop(self) -> None:
        await end(self._task)

    async def _rounds(self) -> None:
        while self._inside:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                gone = await self._not_welcome(list(self._inside))
            except Exception as error:  # the database is away: nothing can be read there either
                log.warning("doorkeeper_cannot_ask", error=repr(error)[:200])
                continue
            for shown in gone:
                for dismiss in tuple(self._inside.get(shown, ())):
                    dismiss()

    async def _not_welcome(self, passes: Sequence[Pass]) -> list[Pass]:
        gone: list[Pass] = []
        members = [shown for shown in passes if isinstance(shown, MemberPass)]
        for start in range(0, len(members), AT_ONCE):
            some = members[start : start + AT_ONCE]
            good = await self._good(some)
            gone += [shown for shown in some if shown not in good]
        for shown in passes:
            if isinstance(shown, GuestPass) and not await shown.ask():
                gone.append(shown)
        return gone

    async def _good(self, passes: Sequence[MemberPass]) -> set[MemberPass]:
        """Those that hold; the conditions are those of `Sessions.reload` and `resolve_workspace`."""
        now = utcnow()
        member = sa.and_(User.is_active, Workspace.deleted_at.is_(None))
        sessions = (
            sa.select(User.id, Membership.workspace_id, Session.id)
            .join(Session, Session.user_id == User.id)
            .join(Membership, Membership.user_id == User.id)
            .join(Workspace, Workspace.id == Membership.workspace_id)
            .where(
                member,
                Session.id.in_([shown.session_id for shown in passes if shown.session_id]),
                Session.revoked_at.is_(None),
                Session.expires_at > now,
            )
        )
        keys = (
            sa.select(User.id, Membership.workspace_id, ApiKey.id)
            .join(ApiKey, ApiKey.user_id == User.id)
            .join(
                Membership,
                sa.and_(Membership.user_id == User.id, Membership.workspace_id == ApiKey.workspace_id),
            )
            .join(Workspace, Workspace.id == Membership.workspace_id)
            .where(
                member,
                ApiKey.id.in_([shown.key_id for shown in passes if shown.key_id]),
                ApiKey.revoked_at.is_(None),
                sa.or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
            )
        )
        good: set[MemberPass] = set()
        async with self._database.system(read_only=True) as session:
            if any(shown.session_id for shown in passes):
                good |= {MemberPass(*row) for row in (await session.execute(sessions)).all()}
            if any(shown.key_id for shown in passes):
                rows = (await session.execute(keys)).all()
                good |= {MemberPass(user, workspace, None, key) for user, workspace, key in rows}
        return good
