"""When keys were last used, to the half minute: noted in memory, so that reading costs no write."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.core.clock import utcnow
from app.db.session import Database
from app.models.api_keys import ApiKey

EVERY_SECONDS = 30.0


class KeyUses:
    """`flush` writes what was noted since the last time; a crash loses half a minute of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[UUID, datetime] = {}

    def note(self, key_id: UUID) -> None:
        self._seen[key_id] = utcnow()

    async def flush(self) -> None:
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            async with self._database.system() as session:
                for key_id, moment in sorted(seen.items()):  # one order: two processes cannot lock each other
                    await session.execute(
                        sa.update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=moment)
                    )
        except BaseException:
            self._seen = seen | self._seen  # the database is away: the next round tries again
            raise
