"""Idempotency keys: of equal requests with one key, one is done and the others get its answer (ADR 0022).

A turn is taken in a short transaction of its own, so that a second request sees at once that the first is at work. The
answer is written in the transaction of the effect, so that neither stands without the other: after a crash before the
commit the turn runs out and somebody else takes it, after a crash behind it the answer is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from app.core.errors import AppError, ConflictError
from app.core.logging import get_logger
from app.core.security import Sealer, hash_token
from app.db.session import Database, SystemSession, TenantSession
from app.models.idempotency import IdempotencyKey

log = get_logger(__name__)

KEPT = timedelta(hours=24)
TURN = timedelta(seconds=60)  # longer than any request takes once its body is there
_RETRY_SECONDS = 1


class KeyInUseError(ConflictError):
    """The same request is being worked on at this moment."""

    code = "idempotency_in_flight"

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key is being worked on. Ask again in a moment.",
            retry_after=_RETRY_SECONDS,
        )


class KeyReusedError(AppError):
    """The key stands for another request."""

    status, code = 422, "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for another request. Use a new key for each new request.",
            field="Idempotency-Key",
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to do what the key stands for, until the fence moves."""

    row_id: UUID
    workspace_id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that the first request got; `body` is JSON."""

    status: int
    body: str


class IdempotencyKeys:
    """`secret` is the server's; the key under which answers are sealed comes from it."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._sealer = Sealer(secret, "idempotent-answer")

    async def begin(self, workspace_id: UUID, user_id: UUID, key: str, fingerprint: str) -> Turn | Kept:
        """A turn for a key that is new, has expired, or whose turn has run out; else the answer that was given.

        Raises `KeyInUseError` while another request has the turn, `KeyReusedError` where the key stands for another
        request.
        """
        async with self._database.tenant(workspace_id) as session:
            now = await session.database_now()
            fresh = IdempotencyKey(
                workspace_id=workspace_id,
                user_id=user_id,
                key_hash=hash_token(key),
                fingerprint=fingerprint,
                fence=1,
                locked_until=now + TURN,
                expires_at=now + KEPT,
            )
            try:
                async with session.begin_nested():
                    session.add(fresh)
            except sa.exc.IntegrityError:
                return await self._look(session, user_id, key, fingerprint, now)
            return Turn(fresh.id, workspace_id, 1)

    async def _look(
        self, session: TenantSession, user_id: UUID, key: str, fingerprint: str, now: datetime
    ) -> Turn | Kept:
        found = await session.execute(
            sa.select(IdempotencyKey)
            .where(IdempotencyKey.user_id == user_id, IdempotencyKey.key_hash == hash_token(key))
            .with_for_update()
        )
        row = found.scalar_one_or_none()
        if row is None:  # given back between the two statements
            raise KeyInUseError
        expired = row.expires_at <= now
        if not expired and row.fingerprint != fingerprint:
            raise KeyReusedError
        if not expired and row.status is not None and row.body is not None:
            kept = self._unseal(row.body)
            if kept is not None:
                return Kept(row.status, kept)
        elif not expired and row.locked_until > now:
            raise KeyInUseError
        row.fence += 1
        row.fingerprint, row.status, row.body = fingerprint, None, None
        row.locked_until, row.expires_at = now + TURN, now + KEPT
        return Turn(row.id, session.workspace_id, row.fence)

    def _unseal(self, body: str) -> str | None:
        """None after the server's secret was changed: the answer cannot be read any more."""
        try:
            return self._sealer.unseal(body)
        except InvalidTag:
            log.warning("idempotent_answer_unreadable")
            return None

    async def keep(
        self, session: TenantSession | SystemSession, turn: Turn, *, status: int, body: str
    ) -> None:
        """The answer, in the transaction of what was done. `body` holds no secrets.

        Raises `KeyInUseError` where the turn was lost meanwhile: then the transaction has to be rolled back.
        """
        written = await session.execute(
            sa.update(IdempotencyKey)
            .where(*_held(turn))
            .values(status=status, body=self._sealer.seal(body))
            .returning(IdempotencyKey.id)
            .execution_options(synchronize_session=False)
        )
        if written.one_or_none() is None:
            raise KeyInUseError

    async def give_back(self, turn: Turn) -> None:
        """Nothing was done: the key is free again at once. Does nothing where the answer was kept after all."""
        try:
            async with self._database.tenant(turn.workspace_id) as session:
                await session.execute(sa.delete(IdempotencyKey).where(*_held(turn)))
        except (sa.exc.SQLAlchemyError, OSError) as error:  # then the turn runs out by itself
            log.warning("idempotency_turn_not_given_back", error=repr(error)[:200])

    async def purge(self) -> int:
        """For periodic work: keys that have expired. Answers how many."""
        async with self._database.system() as session:
            now = await session.database_now()
            gone = await session.execute(
                sa.delete(IdempotencyKey).where(IdempotencyKey.expires_at <= now).returning(IdempotencyKey.id)
            )
            return len(gone.all())


def _held(turn: Turn) -> list[sa.ColumnElement[bool]]:
    return [
        IdempotencyKey.id == turn.row_id,
        IdempotencyKey.fence == turn.fence,
        IdempotencyKey.status.is_(None),
    ]
