"""How often one may ask: by address, account and API key; what the answers say; where nothing is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from app.api.edges.operations import OPERATIONS, kind_of
from app.factory.parts import build_rates
from tests.fixtures.app import MakeApp, RunningApp, build_settings, sign_up


async def started(make_app: MakeApp, **changes: Any) -> RunningApp:
    """A server that counts, behind one proxy, with Ada signed in."""
    running = await make_app(**{"rate_limit_enabled": "on", "trusted_proxies": 1} | changes)
    await sign_up(running.client, setup_token=running.container.identity.registration.setup_token)
    return running


def at(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def submit(client: httpx2.AsyncClient, address: str, **headers: str) -> httpx2.Response:
    return await client.post("/api/jobs", json={"file_id": str(uuid4())}, headers=at(address) | headers)


async def test_the_table_names_what_is_there_and_all_that_can_be_guessed_at(make_app: MakeApp) -> None:
    """What needs no token and takes a body: a new one has to be counted, or named here with the reason."""
    described = (await make_app()).app.openapi()["paths"]
    assert all(method.lower() in described[path] for method, path in OPERATIONS)
    uncounted = {
        "/api/auth/refresh",  # a 256-bit cookie
        "/api/auth/logout",
        "/api/transcribe",  # reads its token by itself; it is in the table
    }
    for path, operations in described.items():
        post = operations.get("post")
        if post is not None and not post.get("security") and path not in uncounted:
            assert kind_of("POST", path), path


def test_kinds_go_by_method_and_whole_path() -> None:
    assert kind_of("POST", "/api/jobs") == "submissions"
    assert kind_of("POST", "/api/jobs/0198/retry") == "submissions"
    assert kind_of("GET", "/api/jobs") is None
    assert kind_of("POST", "/api/jobs/0198/retry/more") is None


async def test_ten_submissions_a_minute_from_one_address(make_app: MakeApp) -> None:
    client = (await started(make_app)).client

    answers = [await submit(client, "203.0.113.9") for _ in range(11)]

    assert [a.status_code for a in answers] == [404] * 10 + [429]
    assert [int(a.headers["ratelimit-remaining"]) for a in answers] == [*range(9, -1, -1), 0]
    refused = answers[-1]
    error = refused.json()["error"]
    assert error["code"] == "rate_limited"
    assert error["request_id"] == refused.headers["x-request-id"]
    assert 1 <= error["retry_after"] == int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-limit"] == "10"
    assert refused.headers["ratelimit-policy"] == "10;w=60"
    assert int(refused.headers["ratelimit-reset"]) == error["retry_after"]
    assert (await submit(client, "203.0.113.10")).status_code == 404
    assert (await client.get("/api/jobs", headers=at("203.0.113.9"))).status_code == 200


async def test_one_account_from_many_addresses(make_app: MakeApp) -> None:
    running = await started(make_app, rate_limit_submissions_user="4/hour")

    answers = [await submit(running.client, f"203.0.113.{number}") for number in range(5)]

    assert [a.status_code for a in answers] == [404] * 4 + [429]
    async with running.new_client() as other:
        await sign_up(other, "bob@example.org")
        assert (await submit(other, "203.0.113.1")).status_code == 404


async def test_one_key_from_many_addresses_and_sessions_beside_it(make_app: MakeApp) -> None:
    running = await started(make_app, rate_limit_submissions_key="3/hour")
    workspace = (await running.client.get("/api/workspaces")).json()["items"][0]["id"]
    made = await running.client.post(f"/api/workspaces/{workspace}/api-keys", json={"name": "script"})
    key = {"Authorization": f"Bearer {made.json()['key']}"}

    answers = [await submit(running.client, f"203.0.113.{number}", **key) for number in range(4)]

    assert [a.status_code for a in answers] == [404] * 3 + [429]
    assert (await submit(running.client, "203.0.113.9")).status_code == 404


async def test_ipv6_counts_by_its_network(make_app: MakeApp) -> None:
    client = (await started(make_app, rate_limit_submissions="2/hour")).client
    answers = [await submit(client, f"2001:db8:0:1::{number}") for number in range(1, 4)]
    assert [a.status_code for a in answers] == [404, 404, 429]
    assert (await submit(client, "2001:db8:0:2::1")).status_code == 404


async def test_row_25_guessing_from_one_address_ends_after_ten(make_app: MakeApp) -> None:
    client = (await make_app(rate_limit_enabled="on", trusted_proxies=1)).client
    for number, path in enumerate(("login", "token", "register", "password/forgot", "password/reset")):
        here, elsewhere = at(f"203.0.113.{number}"), at(f"198.51.100.{number}")
        answers = [await client.post(f"/api/auth/{path}", json={}, headers=here) for _ in range(12)]
        assert [a.status_code == 429 for a in answers] == [False] * 10 + [True] * 2
        assert (await client.post(f"/api/auth/{path}", json={}, headers=elsewhere)).status_code == 422


async def test_row_34_guesses_at_a_link_end_after_ten(make_app: MakeApp) -> None:
    client = (await make_app(rate_limit_enabled="on", trusted_proxies=1)).client
    for number in range(10):
        answer = await client.post(
            f"/api/shares/made-up-{number}/unlock", json={"password": "x"}, headers=at("203.0.113.9")
        )
        assert answer.status_code == 404
    answer = await client.post(
        "/api/shares/another/unlock", json={"password": "x"}, headers=at("203.0.113.9")
    )
    assert answer.status_code == 429
    assert answer.headers["cache-control"] == "no-store"


async def test_uploads_are_counted_before_their_body_is_read(make_app: MakeApp) -> None:
    client = (await started(make_app, rate_limit_uploads="1/hour")).client
    announced = {"filename": "a.mp3", "size": 10}
    assert (await client.post("/api/files/presign", json=announced)).status_code == 201

    async def never() -> Any:
        raise AssertionError("read")
        yield b""

    refused = await client.post("/api/files/presign", content=never())
    assert refused.status_code == 429


async def test_all_requests_of_an_address_have_a_limit_and_watching_over_the_server_none(
    make_app: MakeApp,
) -> None:
    client = (await make_app(rate_limit_enabled="on", rate_limit_requests="3/hour")).client
    answers = [await client.get("/api/options") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert {(await client.get("/health")).status_code for _ in range(5)} == {200}


async def test_nothing_is_counted_where_it_is_off(make_app: MakeApp) -> None:
    running = await make_app(env="local", rate_limit_enabled="auto")
    for _ in range(12):
        answer = await running.client.post("/api/auth/login", json={})
        assert answer.status_code == 422
        assert "ratelimit-limit" not in answer.headers


@pytest.mark.parametrize(
    ("env", "switch", "counts"),
    [
        ("local", "auto", False),
        ("local", "on", True),
        ("test", "auto", True),
        ("prod", "auto", True),
        ("prod", "off", False),
    ],
)
def test_where_it_is_on_by_itself(tmp_path: Path, env: str, switch: str, counts: bool) -> None:
    settings = build_settings(tmp_path, env=env, rate_limit_enabled=switch)
    assert settings.limits_rates is counts
    assert (build_rates(settings) is not None) is counts
