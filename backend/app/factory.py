"""Composition root: settings in, everything that lives as long as the process out."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.config import Settings
from app.db.session import Database


@dataclass(slots=True)
class Container:
    """Process-wide parts, built once and passed down."""

    settings: Settings
    database: Database

    async def close(self) -> None:
        await self.database.close()


def build_container(settings: Settings) -> Container:
    """Everything that serves requests. Opens no connection and starts no process yet."""
    database = Database(
        settings.database_url,
        pool_size=settings.database.database_pool_size,
        slow_ms=settings.database.database_slow_ms,
    )
    return Container(settings=settings, database=database)
