"""One's own account: devices, guessing, leaving."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.db.session import Database
from app.models import Job, LoginThrottle, Membership, Role, Workspace
from tests.fixtures.account import EMAIL, code_of, post, sign_in
from tests.fixtures.app import PASSWORD, MakeApp, RunningApp
from tests.fixtures.identity import login, register

pytestmark = pytest.mark.usefixtures("mail_stays")


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


# Devices


async def test_devices_are_listed_and_signed_out(app: RunningApp) -> None:
    ada, phone, other = await register(app.client), await login(app.client), await login(app.client)
    eve = await register(app.client, "eve@example.org")
    listed = (await app.client.get("/api/auth/sessions", headers=ada.bearer)).json()["items"]
    assert [one["current"] for one in listed] == [False, False, True]
    missing = [
        await app.client.delete(f"/api/auth/sessions/{session_id}", headers=eve.bearer)
        for session_id in (listed[0]["id"], str(uuid4()))
    ]
    assert [answer.status_code for answer in missing] == [404, 404]
    gone = await app.client.delete(f"/api/auth/sessions/{listed[0]['id']}", headers=ada.bearer)
    assert gone.status_code == 204
    assert (await app.client.get("/api/auth/me", headers=other.bearer)).status_code == 401
    assert (await app.client.get("/api/auth/me", headers=phone.bearer)).status_code == 200
    assert (await app.client.delete("/api/auth/sessions", headers=ada.bearer)).status_code == 204
    assert (await app.client.get("/api/auth/me", headers=phone.bearer)).status_code == 401
    assert (await app.client.get("/api/auth/me", headers=ada.bearer)).status_code == 200


# Guessing


async def pause_until(app: RunningApp, moment: datetime) -> None:
    async with app.container.database.system() as session:
        await session.execute(sa.update(LoginThrottle).values(blocked_until=moment))


async def test_row_25_guessing_is_slowed_down_for_known_and_unknown_accounts_alike(
    make_app: MakeApp, database_url: str
) -> None:
    app = await make_app(database_url=database_url, lockout_failures=3)
    await register(app.client)
    for email in (EMAIL, "nobody@example.org"):
        answers = [await sign_in(app, email=email, password="a wrong password") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
    await pause_until(app, utcnow() + timedelta(hours=1))  # the pause of a slow machine is over by now
    assert code_of(await sign_in(app)) == (429, "rate_limited")
    await pause_until(app, utcnow())
    assert (await sign_in(app)).status_code == 200
    async with app.container.database.system(read_only=True) as session:
        left = (await session.execute(sa.select(LoginThrottle.key))).scalars().all()
    assert len(left) == 2  # those of the unknown account


# Leaving


async def test_an_account_goes_with_what_is_its_alone(app: RunningApp) -> None:
    admin, ada = await register(app.client, "admin@example.org"), await register(app.client)
    sent = await app.client.post(
        "/api/transcribe", files={"file": ("notes.txt", b"words")}, headers=ada.bearer
    )
    assert sent.status_code == 202
    assert code_of(await post(app, "delete", ada, password="wrong password")) == (403, "wrong_password")
    async with app.container.database.system() as session:
        session.add(Membership(workspace_id=UUID(ada.workspace_id), user_id=UUID(admin.id), role=Role.MEMBER))
    refused = await post(app, "delete", ada, password=PASSWORD)
    assert (*code_of(refused), refused.json()["error"]["field"]) == (409, "conflict", "workspaces")
    path = f"/api/workspaces/{ada.workspace_id}/members/{admin.id}"
    await app.client.delete(path, headers=ada.bearer)
    assert (await post(app, "delete", ada, password=PASSWORD)).status_code == 204
    assert (await app.client.get("/api/auth/me", headers=ada.bearer)).status_code == 401
    assert (await sign_in(app)).status_code == 401
    for _ in range(200):
        async with app.container.database.system(read_only=True) as session:
            left = await session.get(Workspace, UUID(ada.workspace_id))
        if left is None:
            break
        await asyncio.sleep(0.05)
    assert left is None
    assert not (app.settings.storage_dir / "objects" / "w" / ada.workspace_id).exists()


async def test_an_account_goes_while_its_job_writes_events(make_app: MakeApp, postgres_url: str) -> None:
    """On Postgres alone: SQLite has one writer at a time."""
    app = await make_app(database_url=postgres_url, transcription_backend="stub")
    await register(app.client, "admin@example.org")
    ada = await register(app.client)
    sent = await app.client.post(
        "/api/transcribe", files={"file": ("notes.txt", b"words")}, headers=ada.bearer
    )
    database, job_id = app.container.database, UUID(sent.json()["job_id"])
    async with (
        database.system() as session
    ):  # as the one who writes events: the job's row, then the workspace's
        await session.execute(sa.update(Job).where(Job.id == job_id).values(event_seq=Job.event_seq))
        leaves = asyncio.create_task(post(app, "delete", ada, password=PASSWORD))
        await waits_for_a_lock(database)
        own = Workspace.id == UUID(ada.workspace_id)
        await session.execute(sa.update(Workspace).where(own).values(event_seq=Workspace.event_seq))
    assert (await leaves).status_code == 204


async def waits_for_a_lock(database: Database) -> None:
    waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for _ in range(400):
        async with database.system(read_only=True) as session:
            if await session.scalar(waiting):
                return
        await asyncio.sleep(0.05)
    raise AssertionError("nothing waited for a lock")


async def test_the_last_administrator_stays_while_others_are_there(app: RunningApp) -> None:
    admin = await register(app.client)
    await register(app.client, "bob@example.org")
    assert code_of(await post(app, "delete", admin, password=PASSWORD)) == (409, "conflict")


async def test_an_account_can_be_taken_along(app: RunningApp) -> None:
    ada = await register(app.client)
    await app.client.patch("/api/auth/me", json={"name": "Ada L."}, headers=ada.bearer)
    answer = await app.client.get("/api/auth/export", headers=ada.bearer)
    assert answer.headers["content-disposition"].startswith("attachment")
    data = answer.json()
    assert (data["account"]["email"], data["account"]["name"]) == (EMAIL, "Ada L.")
    assert [w["role"] for w in data["workspaces"]] == ["owner"]
    assert "argon2" not in answer.text
