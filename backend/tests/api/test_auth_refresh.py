"""The refresh cookie: rotation, grace, reuse, races, and pages of other sites."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from http.cookies import SimpleCookie
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.security import hash_token
from app.models import RefreshToken, Session, User
from tests.fixtures.app import PASSWORD, MakeApp, RunningApp
from tests.fixtures.identity import COOKIE, login, refresh, register

CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}


async def _rotate(client: httpx2.AsyncClient, token: str | None) -> str:
    answer = await refresh(client, token)
    assert answer.status_code == 200, answer.text
    child = answer.cookies.get(COOKIE)
    assert child is not None
    return child


async def _age_rotations(running: RunningApp, seconds: float) -> None:
    async with running.container.database.system() as session:
        await session.execute(
            sa.update(RefreshToken)
            .where(RefreshToken.rotated_at.is_not(None))
            .values(rotated_at=utcnow() - timedelta(seconds=seconds))
        )


async def test_refresh_rotates_and_answers_like_login(running_app: RunningApp) -> None:
    client = running_app.client
    person = await register(client)

    answer = await refresh(client, person.refresh_token)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.keys() == person.body.keys()
    assert body["user"] == person.body["user"]
    assert body["access_token"] != person.body["access_token"]
    assert answer.cookies.get(COOKIE) not in (None, person.refresh_token)
    me = await client.get("/api/auth/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.status_code == 200


@pytest.mark.parametrize(
    ("base_url", "public_url", "secure"),
    [
        ("http://127.0.0.1:8000", "", False),
        ("http://192.168.1.5:8000", "", False),
        ("https://transcribe.example.org", "", True),
        ("http://127.0.0.1:8000", "https://transcribe.example.org", True),
    ],
)
async def test_row_22_the_cookie_is_for_refresh_only(
    make_app: MakeApp, base_url: str, public_url: str, secure: bool
) -> None:
    running = await make_app(public_url=public_url)
    await register(running.client)
    async with running.new_client() as client:
        client.base_url = base_url  # type: ignore[assignment]
        answer = await client.post("/api/auth/login", json=CREDENTIALS)

    morsel = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert morsel["path"] == "/api/auth"
    assert morsel["httponly"]
    assert morsel["samesite"].lower() == "strict"
    assert morsel["max-age"] == str(30 * 86400)
    assert not morsel["domain"]
    assert bool(morsel["secure"]) is secure


async def test_row_22_only_hashes_are_stored(running_app: RunningApp) -> None:
    person = await register(running_app.client)
    async with running_app.container.database.system(read_only=True) as session:
        rows = (await session.scalars(sa.select(RefreshToken))).all()
        user = (await session.scalars(sa.select(User))).one()

    assert [row.token_hash for row in rows] == [hash_token(person.refresh_token or "")]
    assert user.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_row_22_the_immediate_parent_stays_good_for_a_moment(running_app: RunningApp) -> None:
    """Two tabs present the same token, or an answer got lost: the same child comes back."""
    client = running_app.client
    parent = (await register(client)).refresh_token

    children = {await _rotate(client, parent) for _ in range(3)}

    assert len(children) == 1
    await _rotate(client, children.pop())


async def test_row_22_late_reuse_of_the_parent_ends_the_family(running_app: RunningApp) -> None:
    """Threat row 22."""
    client = running_app.client
    person, elsewhere = await register(client), await login(client)
    child = await _rotate(client, person.refresh_token)
    await _age_rotations(running_app, 11)

    assert (await refresh(client, person.refresh_token)).status_code == 401
    assert (await refresh(client, child)).status_code == 401
    assert (await client.get("/api/auth/me", headers=person.bearer)).status_code == 401
    assert (await refresh(client, elsewhere.refresh_token)).status_code == 200


async def test_row_22_reuse_of_the_grandparent_ends_the_family_at_once(running_app: RunningApp) -> None:
    """Threat row 22: R1 -> R2 -> R3, then R1: refused, and R3 is dead."""
    client = running_app.client
    first = (await register(client)).refresh_token
    third = await _rotate(client, await _rotate(client, first))

    assert (await refresh(client, first)).status_code == 401
    assert (await refresh(client, third)).status_code == 401


async def test_row_22_twenty_refreshes_at_once_keep_the_user_in(running_app: RunningApp) -> None:
    """Threat row 22: one family, one child."""
    client = running_app.client
    person = await register(client)

    answers = await asyncio.gather(*(refresh(client, person.refresh_token) for _ in range(20)))

    assert {a.status_code for a in answers} == {200}
    children = {SimpleCookie(a.headers["set-cookie"])[COOKIE].value for a in answers}
    assert len(children) == 1
    async with running_app.container.database.system(read_only=True) as session:
        assert await session.scalar(sa.select(sa.func.count()).select_from(Session)) == 1
        assert await session.scalar(sa.select(sa.func.count()).select_from(RefreshToken)) == 2
    await _rotate(client, children.pop())


@pytest.mark.parametrize("token", [None, "", "unknown", "x" * 5000, "\u00e4"])
async def test_unknown_tokens_are_refused_without_effect(make_app: MakeApp, token: str | None) -> None:
    client = (await make_app()).client
    person = await register(client)
    cookie = {} if token is None else {"Cookie": f"{COOKIE}={token}".encode("latin-1")}

    answer = await client.post("/api/auth/refresh", headers=cookie)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthenticated"
    assert (await refresh(client, person.refresh_token)).status_code == 200


async def test_expired_sessions_and_disabled_users_are_out(running_app: RunningApp) -> None:
    """Threat row 29: read from the database at each request."""
    client, database = running_app.client, running_app.container.database
    expired = await register(client)
    disabled = await register(client, "bob@example.org")
    async with database.system() as session:
        await session.execute(
            sa.update(Session).where(Session.user_id == UUID(expired.id)).values(expires_at=utcnow())
        )
        await session.execute(sa.update(User).where(User.email == "bob@example.org").values(is_active=False))

    for person in (expired, disabled):
        assert (await client.get("/api/auth/me", headers=person.bearer)).status_code == 401
        assert (await refresh(client, person.refresh_token)).status_code == 401
    bob = {"email": "bob@example.org", "password": PASSWORD}
    assert (await client.post("/api/auth/login", json=bob)).status_code == 401


@pytest.mark.parametrize("path", ["refresh", "logout"])
@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://127.0.0.1", True),
        ("http://127.0.0.1:80", True),
        ("https://127.0.0.1", True),  # a proxy in front of us ends TLS
        ("https://transcribe.example.org", True),
        ("https://app.example.org", True),
        ("http://app.example.org", False),
        ("http://127.0.0.1:8080", False),
        ("https://evil.example", False),
        ("https://transcribe.example.org.evil.example", False),
        ("http://127.0.0.1@evil.example", False),
        ("http://[::1", False),
        ("null", False),
        ("", False),
    ],
)
async def test_row_28_pages_of_other_sites_cannot_use_the_cookie(
    make_app: MakeApp, path: str, origin: str | None, allowed: bool
) -> None:
    """Threat row 28."""
    running = await make_app(
        public_url="https://transcribe.example.org", cors_origins=("https://app.example.org",)
    )
    person = await register(running.client)
    headers = {"Cookie": f"{COOKIE}={person.refresh_token}"} | ({} if origin is None else {"Origin": origin})

    answer = await running.client.post(f"/api/auth/{path}", headers=headers)

    if allowed:
        assert answer.status_code == (200 if path == "refresh" else 204)
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
        assert "set-cookie" not in answer.headers
        assert (await refresh(running.client, person.refresh_token)).status_code == 200


async def test_row_28_a_foreign_form_cannot_sign_anybody_in(make_app: MakeApp) -> None:
    """Threat row 28: the cookie comes with JSON only, which a form of another site cannot send."""
    running = await make_app()
    await register(running.client)
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        answer = await running.client.post(
            "/api/auth/login",
            content=b'{"email": "ada@example.org", "password": "correct horse battery staple"}',
            headers={"Content-Type": content_type},
        )
        assert answer.status_code == 422
        assert "set-cookie" not in answer.headers
