"""Who looked at what: kept in memory for moments and written in batches, so that reading costs no write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.caller import current_caller
from app.core.clock import new_id, utcnow
from app.db.session import Database
from app.models.audit import AuditEntry

EVERY_SECONDS = 5.0
_HOUR = 3600
_MAX_KNOWN = 50_000  # an hour of a busy server; then the oldest are forgotten and may be written twice


@dataclass(frozen=True, slots=True)
class _Access:
    """One entry an hour: the same person (or key, or holder of a link) doing the same with the same thing."""

    action: str
    workspace_id: UUID
    who: str
    target: str
    hour: int


class AccessLog:
    """`note` where data is handed out, `flush` in the background; a crash loses what a few seconds brought."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[_Access, None] = {}
        self._waiting: list[dict[str, Any]] = []

    def note(self, action: str, *, workspace_id: UUID, target: tuple[str, object], **detail: Any) -> None:
        """Say that the current caller got data of `target`. `action` as in `audit.record`."""
        caller, now = current_caller(), utcnow()
        who = f"{caller.user_id}|{caller.api_key_id}|{detail}"
        if caller.user_id is None:
            who += caller.address
        access = _Access(action, workspace_id, who, f"{target[0]}:{target[1]}", int(now.timestamp()) // _HOUR)
        if access in self._known:
            return
        self._known[access] = None
        if len(self._known) > _MAX_KNOWN:
            del self._known[next(iter(self._known))]
        self._waiting.append(
            {
                "id": new_id(),
                "workspace_id": workspace_id,
                "user_id": caller.user_id,
                "api_key_id": caller.api_key_id,
                "action": action,
                "target_type": target[0],
                "target_id": str(target[1]),
                "address": caller.address,
                "user_agent": caller.user_agent[:300],
                "request_id": caller.request_id,
                "detail": detail,
                "created_at": now,
            }
        )

    async def flush(self) -> int:
        """Write what has been noted; while the database is away it waits in memory."""
        rows, self._waiting = self._waiting, []
        if not rows:
            return 0
        try:
            async with self._database.system() as session:
                await session.execute(sa.insert(AuditEntry), rows)
        except BaseException:
            self._waiting = rows + self._waiting
            raise
        return len(rows)
