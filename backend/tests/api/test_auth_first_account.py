"""Threat row 30: who becomes administrator, and who may register at all."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from tests.fixtures.app import PASSWORD, MakeApp, RunningApp
from tests.fixtures.identity import register


def body(email: str = "ada@example.org", **fields: str) -> dict[str, str]:
    return {"email": email, "password": PASSWORD} | fields


async def attempt(running: RunningApp, **fields: str) -> httpx2.Response:
    return await running.client.post("/api/auth/register", json=body(**fields))


async def test_on_loopback_the_first_account_is_the_administrator(running_app: RunningApp) -> None:
    first = await register(running_app.client)
    second = await register(running_app.client, "bob@example.org")

    assert first.body["user"]["is_admin"] is True
    assert second.body["user"]["is_admin"] is False


@pytest.mark.parametrize("token", [None, "", "wrong", "ÄÖÜ", "A" * 32])
async def test_row_30_on_the_network_the_first_account_needs_the_setup_token(
    make_app: MakeApp, token: str | None
) -> None:
    running = await make_app(host="0.0.0.0")

    answer = await attempt(running, **({} if token is None else {"setup_token": token}))

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "setup_token_required"
    assert "log" in answer.json()["error"]["message"]
    assert "set-cookie" not in answer.headers


async def test_row_30_a_server_reached_over_the_network_needs_it_whatever_host_says(
    make_app: MakeApp,
) -> None:
    """`uvicorn --host 0.0.0.0` tells the settings nothing; the connection's own address does."""
    running = await make_app()
    for host in ("192.0.2.7", "[2001:db8::1]"):
        async with running.new_client() as client:
            answer = await client.post(f"http://{host}/api/auth/register", json=body())
        assert answer.json()["error"]["code"] == "setup_token_required"
    token = running.container.identity.registration.setup_token
    async with running.new_client() as client:
        answer = await client.post("http://192.0.2.7/api/auth/register", json=body(setup_token=token))
    assert answer.json()["user"]["is_admin"] is True


async def test_row_30_the_setup_token_makes_one_administrator_and_is_worthless_then(
    make_app: MakeApp, database_url: str
) -> None:
    running = await make_app(host="0.0.0.0", database_url=database_url)
    token = await running.container.identity.registration.needed_setup_token()
    assert token is not None

    first = await attempt(running, setup_token=f" {token.lower()} ")
    second = await attempt(running, email="bob@example.org", setup_token=token)
    third = await attempt(running, email="eve@example.org")

    assert [a.status_code for a in (first, second, third)] == [201, 201, 201]
    assert [a.json()["user"]["is_admin"] for a in (first, second, third)] == [True, False, False]
    assert await running.container.identity.registration.needed_setup_token() is None


async def test_row_30_two_first_registrations_at_once_make_one_administrator(
    make_app: MakeApp, database_url: str
) -> None:
    running = await make_app(host="0.0.0.0", database_url=database_url)
    token = running.container.identity.registration.setup_token

    answers = await asyncio.gather(
        *(attempt(running, email=f"user{n}@example.org", setup_token=token) for n in range(4))
    )

    assert {a.status_code for a in answers} == {201}
    assert sorted(a.json()["user"]["is_admin"] for a in answers) == [False, False, False, True]


async def test_nodes_with_the_same_secret_print_the_same_token(make_app: MakeApp) -> None:
    secret = "one secret for all nodes, 0123456789 abcdef"
    one, two = await make_app(jwt_secret_key=secret), await make_app(jwt_secret_key=secret)
    other = await make_app(jwt_secret_key="another secret, 0123456789 abcdef 0123456789")

    assert one.container.identity.registration.setup_token == two.container.identity.registration.setup_token
    assert (
        one.container.identity.registration.setup_token != other.container.identity.registration.setup_token
    )


async def test_closed_registration_names_the_way_in(make_app: MakeApp) -> None:
    running = await make_app(allow_registration=False)

    answer = await attempt(running)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert "transcribe admin create" in answer.json()["error"]["message"]
    await running.container.identity.create_admin(email="Ops@Example.org", password=PASSWORD, name="Ops")
    login = await running.client.post("/api/auth/login", json=body("ops@example.org"))
    assert login.json()["user"]["is_admin"] is True


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, (True, True, False)),
        ({"host": "0.0.0.0"}, (True, True, True)),
        ({"allow_registration": False}, (False, True, False)),
    ],
)
async def test_registration_state(
    make_app: MakeApp, changes: dict[str, object], state: tuple[bool, bool, bool]
) -> None:
    running = await make_app(**changes)
    identity, database = running.container.identity, running.container.database

    async with database.system(read_only=True) as session:
        before = await identity.registration.state(session)
    await identity.create_admin(email="ops@example.org", password=PASSWORD)
    async with database.system(read_only=True) as session:
        after = await identity.registration.state(session)

    assert (before.open, before.needs_first_account, before.setup_token_required) == state
    assert (after.open, after.needs_first_account, after.setup_token_required) == (state[0], False, False)
