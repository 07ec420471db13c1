"""Composition root: settings in, everything that lives as long as the process out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from app.core.config import Settings
from app.core.passwords import Passwords
from app.core.secrets import load_secret
from app.core.security import AccessTokens
from app.db.session import Database
from app.services.identity.accounts import Accounts
from app.services.identity.sessions import Sessions


@dataclass(slots=True)
class Container:
    """Process-wide parts, built once and passed down."""

    settings: Settings
    database: Database
    secret: bytes = field(repr=False)  # keys come from it through `derive_key`, one a purpose
    sessions: Sessions
    identity: Accounts

    async def close(self) -> None:
        await self.database.close()


def build_container(settings: Settings) -> Container:
    """Everything that serves requests. Opens no connection and starts no process yet."""
    database = Database(
        settings.database_url,
        pool_size=settings.database.database_pool_size,
        slow_ms=settings.database.database_slow_ms,
    )
    secret = load_secret(settings)
    sessions = _build_sessions(settings, database, secret)
    identity = Accounts(settings, database, Passwords(), sessions, secret=secret)
    return Container(
        settings=settings, database=database, secret=secret, sessions=sessions, identity=identity
    )


def _build_sessions(settings: Settings, database: Database, secret: bytes) -> Sessions:
    tokens = AccessTokens(
        secret,
        algorithm=settings.identity.jwt_algorithm,
        lifetime_seconds=settings.identity.access_token_expire_minutes * 60,
    )
    lifetime = timedelta(days=settings.identity.refresh_token_expire_days)
    return Sessions(database, tokens, secret=secret, refresh_lifetime=lifetime)
