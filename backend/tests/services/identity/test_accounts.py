"""What the command line and the sweeper ask of identity."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import ConflictError, InvalidInputError, NotFoundError, UnauthenticatedError
from app.core.passwords import Passwords
from app.core.security import AccessTokens
from app.db.session import Database
from app.models import Membership, RefreshToken, Session, User, Workspace
from app.services.identity.accounts import Accounts
from app.services.identity.sessions import Device, Sessions
from tests.fixtures.app import PASSWORD, build_settings

SECRET = b"a secret of this test only, 0123456789"
NEW_PASSWORD = "quite another long sentence"


@pytest.fixture
def sessions(database: Database) -> Sessions:
    tokens = AccessTokens(SECRET, algorithm="HS256", lifetime_seconds=600)
    return Sessions(database, tokens, secret=SECRET, refresh_lifetime=timedelta(days=30))


@pytest.fixture
def accounts(database: Database, sessions: Sessions, tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    settings = build_settings(tmp_path_factory.mktemp("data"))
    return Accounts(settings, database, Passwords(), sessions, secret=SECRET)


async def test_create_admin_makes_a_whole_account(accounts: Accounts, database: Database) -> None:
    user_id = await accounts.create_admin(email=" Ops@Box.Local ", password=PASSWORD, name="Ops")

    profile = await accounts.profile(user_id)
    assert (profile.email, profile.name, profile.is_admin) == ("ops@box.local", "Ops", True)
    assert [(w.name, w.role) for w in profile.workspaces] == [("Ops's workspace", "owner")]
    with pytest.raises(ConflictError):
        await accounts.create_admin(email="ops@box.local", password=PASSWORD)
    with pytest.raises(InvalidInputError):
        await accounts.create_admin(email="other@box.local", password="short")
    async with database.system(read_only=True) as session:
        for table in (User, Workspace, Membership):
            assert await session.scalar(sa.select(sa.func.count()).select_from(table)) == 1


async def test_set_password_ends_all_sessions(accounts: Accounts, sessions: Sessions) -> None:
    await accounts.create_admin(email="ada@example.org", password=PASSWORD)
    sign_in = await accounts.login(email="ada@example.org", password=PASSWORD, device=Device())

    await accounts.set_password(email="ADA@example.org", password=NEW_PASSWORD)

    with pytest.raises(UnauthenticatedError):
        await sessions.authenticate(sign_in.access_token)
    with pytest.raises(UnauthenticatedError):
        await sessions.refresh(sign_in.refresh_token or "")
    await accounts.login(email="ada@example.org", password=NEW_PASSWORD, device=Device())
    with pytest.raises(NotFoundError):
        await accounts.set_password(email="nobody@example.org", password=NEW_PASSWORD)


async def test_a_sign_in_with_the_old_password_does_not_outlive_the_change(
    accounts: Accounts, sessions: Sessions
) -> None:
    """The old password was right when it was looked at, and is not any more when the session would open."""
    await accounts.create_admin(email="ada@example.org", password=PASSWORD)

    class SlowPasswords(Passwords):
        async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
            outcome = await super().verify(password, stored)
            looked.set()
            await changed.wait()
            return outcome

    looked, changed = asyncio.Event(), asyncio.Event()
    usual, accounts.passwords = accounts.passwords, SlowPasswords()
    sign_in = asyncio.create_task(accounts.login(email="ada@example.org", password=PASSWORD, device=Device()))
    await looked.wait()
    accounts.passwords = usual
    await accounts.set_password(email="ada@example.org", password=NEW_PASSWORD)
    changed.set()

    with pytest.raises(UnauthenticatedError):
        await sign_in


async def test_signing_in_renews_an_old_hash(accounts: Accounts, database: Database) -> None:
    user_id = await accounts.create_admin(email="ada@example.org", password=PASSWORD)
    old = accounts.passwords._context.using(argon2__time_cost=1).hash(PASSWORD)
    async with database.system() as session:
        await session.execute(sa.update(User).values(password_hash=old))

    await accounts.login(email="ada@example.org", password=PASSWORD, device=Device())

    async with database.system(read_only=True) as session:
        user = await session.get_one(User, user_id)
        assert user.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_sign_in_remembers_where_it_came_from(accounts: Accounts, database: Database) -> None:
    await accounts.create_admin(email="ada@example.org", password=PASSWORD)
    device = Device(user_agent="Browser\0" + "x" * 1000, address="192.0.2.7")

    await accounts.login(email="ada@example.org", password=PASSWORD, device=device)

    async with database.system(read_only=True) as session:
        row = (await session.scalars(sa.select(Session))).one()
    assert (row.user_agent, row.address) == (("Browser" + "x" * 1000)[:300], "192.0.2.7")


async def test_a_sign_in_without_refresh_token_ends_with_its_access_token(
    accounts: Accounts, database: Database
) -> None:
    await accounts.create_admin(email="ada@example.org", password=PASSWORD)

    sign_in = await accounts.login(
        email="ada@example.org", password=PASSWORD, device=Device(), with_refresh_token=False
    )

    assert sign_in.refresh_token is None
    async with database.system(read_only=True) as session:
        row = (await session.scalars(sa.select(Session))).one()
    assert abs(row.expires_at - utcnow() - timedelta(minutes=10)) < timedelta(minutes=1)


async def test_purge_forgets_what_ended_long_ago(
    accounts: Accounts, sessions: Sessions, database: Database
) -> None:
    await accounts.create_admin(email="ada@example.org", password=PASSWORD)
    sign_ins = [
        await accounts.login(email="ada@example.org", password=PASSWORD, device=Device()) for _ in range(3)
    ]
    ids = [(await sessions.authenticate(one.access_token)).session_id for one in sign_ins]
    await _set(database, ids[0], expires_at=utcnow() - timedelta(days=8))
    await _set(database, ids[1], revoked_at=utcnow() - timedelta(days=6))

    assert await sessions.purge() == 1

    async with database.system(read_only=True) as session:
        assert set(await session.scalars(sa.select(Session.id))) == set(ids[1:])
        assert set(await session.scalars(sa.select(RefreshToken.session_id))) == set(ids[1:])


async def _set(database: Database, session_id: UUID, **values: object) -> None:
    async with database.system() as session:
        await session.execute(sa.update(Session).where(Session.id == session_id).values(**values))
