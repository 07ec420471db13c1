"""Behind proxies: whose address counts, which scheme was asked for, and what names the server goes by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.edges.forwarded import ForwardedMiddleware, client_address
from app.api.edges.hosts import HostsMiddleware
from app.models.audit import AuditEntry
from tests.fixtures.app import PASSWORD, MakeApp, RunningApp, sign_up


async def seen(scope: dict[str, Any], middleware: Callable[[ASGIApp], ASGIApp]) -> tuple[Scope | None, int]:
    """What comes through a middleware, and the status of its own answer where nothing does."""
    passed: list[Scope] = []
    sent: list[Message] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    request = {"type": "http", "method": "GET", "path": "/api/jobs", "scheme": "http", "headers": []}
    reached = {"client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8000)}
    await middleware(app)(request | reached | scope, receive, send)
    return (passed[0] if passed else None), (sent[0].get("status", 0) if sent else 0)


def raw(*headers: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, ["203.0.113.9"], "127.0.0.1"),
        (1, [], "127.0.0.1"),
        (1, ["203.0.113.9"], "203.0.113.9"),
        (1, ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        (1, ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        (2, ["1.1.1.1, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        (2, ["203.0.113.9"], "127.0.0.1"),
        (1, ["203.0.113.9:51234"], "203.0.113.9"),
        (1, ["[2001:db8::1]:443"], "2001:db8::1"),
        (1, ["2001:db8::1"], "2001:db8::1"),
        (1, ["unknown"], "127.0.0.1"),
        (1, ["127.0.0.1\t; drop"], "127.0.0.1"),
    ],
)
async def test_row_39_addresses_by_the_count_of_proxies(
    proxies: int, forwarded: list[str], address: str
) -> None:
    headers = raw(*(("X-Forwarded-For", value) for value in forwarded))
    scope, _ = await seen({"headers": headers}, partial(ForwardedMiddleware, proxies=proxies))
    assert scope is not None
    assert scope["client"][0] == address


async def test_row_39_the_header_of_a_stranger_buys_no_more_guesses(make_app: MakeApp) -> None:
    client = (await make_app(rate_limit_enabled="on")).client
    answers = [
        await client.post("/api/auth/login", json={}, headers={"X-Forwarded-For": f"203.0.113.{n}"})
        for n in range(11)
    ]
    assert answers[-1].status_code == 429


async def test_what_is_recorded_names_the_client(make_app: MakeApp) -> None:
    running = await make_app(trusted_proxies=1)
    token = running.container.identity.registration.setup_token
    me = await sign_up(running.client, setup_token=token)
    workspace = me["user"]["workspaces"][0]["id"]
    await running.client.patch(
        f"/api/workspaces/{workspace}", json={"name": "New"}, headers={"X-Forwarded-For": "203.0.113.9"}
    )
    async with running.container.database.system(read_only=True) as session:
        address = await session.scalar(
            sa.select(AuditEntry.address).where(AuditEntry.action == "workspace.renamed")
        )
    assert address == "203.0.113.9"


@pytest.mark.parametrize(
    ("proxies", "proto", "secure"),
    [(0, "https", False), (1, "HTTPS", True), (1, "gopher", False)],
)
async def test_the_scheme_is_the_proxies_word(
    make_app: MakeApp, proxies: int, proto: str, secure: bool
) -> None:
    running = await make_app(trusted_proxies=proxies)
    token = running.container.identity.registration.setup_token
    body = {"email": "ada@example.org", "password": PASSWORD, "setup_token": token}
    answer = await running.client.post(
        "/api/auth/register",
        json=body,
        headers={"X-Forwarded-Proto": proto, "X-Forwarded-Host": "evil.example"},
    )
    assert answer.status_code == 201, answer.text
    assert ("secure" in answer.headers["set-cookie"].lower()) is secure
    announced = await running.client.post(
        "/api/files/presign",
        json={"filename": "a.mp3", "size": 10},
        headers={
            "Authorization": f"Bearer {answer.json()['access_token']}",
            "X-Forwarded-Proto": proto,
            "X-Forwarded-Host": "evil.example",
        },
    )
    assert announced.json()["url"].startswith(f"{'https' if secure else 'http'}://127.0.0.1/")


@pytest.mark.parametrize("changes", [{"trusted_proxies": 1}, {}])
async def test_row_30_the_first_visitor_through_a_proxy_is_no_administrator(
    make_app: MakeApp, changes: dict[str, Any]
) -> None:
    running = await make_app(**changes)
    body = {"email": "ada@example.org", "password": PASSWORD}
    through = {"X-Forwarded-For": "203.0.113.9"}
    answer = await running.client.post("/api/auth/register", json=body, headers=through)
    assert answer.json()["error"]["code"] == "setup_token_required"


@pytest.mark.parametrize(
    ("listed", "proxies", "address"),
    [
        ([], 1, None),
        (["1.1.1.1"], 2, None),
        (["a", "1.1.1.1"], 1, "1.1.1.1"),
        (["1.1.1.1", "::1"], 2, "1.1.1.1"),
        (["[::1"], 1, "::1"),
        ([""], 1, None),
        (["999.1.1.1"], 1, None),
    ],
)
def test_the_entry_of_the_outermost_proxy(listed: list[str], proxies: int, address: str | None) -> None:
    assert client_address(listed, proxies) == address


@pytest.mark.parametrize(
    ("changes", "host", "status"),
    [
        ({}, "localhost:8000", 200),
        ({}, "127.0.0.1", 200),
        ({}, "[::1]:8000", 200),
        ({}, "app.localhost", 200),
        ({}, "192.168.1.5", 200),
        ({}, "evil.example", 400),
        ({}, "localhost.evil.example", 400),
        ({}, "a@b", 400),
        ({}, "evil.example/localhost", 400),
        ({"public_url": "https://t.example.org"}, "t.example.org", 200),
        ({"public_url": "https://t.example.org"}, "T.Example.org.:443", 200),
        ({"public_url": "https://t.example.org"}, "evil.example", 400),
        ({"public_url": "https://t.example.org"}, "x.t.example.org", 400),
        ({"allowed": ("*.example.org", "home.lan")}, "a.example.org", 200),
        ({"allowed": ("*.example.org", "home.lan")}, "home.lan:8000", 200),
        ({"allowed": ("*.example.org", "home.lan")}, "example.org", 400),
        ({"allowed": ("*.example.org",)}, "evilexample.org", 400),
        ({"allowed": ("*",)}, "evil.example", 200),
    ],
)
async def test_row_26_names_that_are_not_ours_are_refused(
    changes: dict[str, Any], host: str, status: int
) -> None:
    build = partial(HostsMiddleware, **{"allowed": (), "public_url": ""} | changes)
    scope, answered = await seen({"headers": raw(("Host", host))}, build)
    assert (scope is not None) is (status == 200)
    assert answered == (0 if status == 200 else 400)
    probe, _ = await seen({"headers": raw(("Host", host)), "path": "/health"}, build)
    assert probe is not None


async def test_over_the_network_any_name_will_do_until_one_is_set() -> None:
    scope = {"headers": raw(("Host", "server.lan")), "server": ("10.0.0.5", 8000)}
    assert (await seen(scope, partial(HostsMiddleware, allowed=(), public_url="")))[0] is not None
    strict = partial(HostsMiddleware, allowed=("home.lan",), public_url="")
    assert (await seen(scope, strict))[1] == 400


async def test_a_foreign_name_gets_an_error_of_the_usual_shape(make_app: MakeApp) -> None:
    client = (await make_app()).client
    answer = await client.get("/api/options", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "host_not_allowed"
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]
    assert "evil" not in answer.text


async def test_two_hosts_are_none() -> None:
    headers = raw(("Host", "127.0.0.1"), ("Host", "localhost"))
    build = partial(HostsMiddleware, allowed=(), public_url="")
    assert (await seen({"headers": headers}, build))[1] == 400


async def test_a_socket_by_a_foreign_name_is_refused(serve_app: Any) -> None:
    running: RunningApp = await serve_app()
    address = running.base_url.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(
        b"GET /ws/jobs/0198 HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert (await asyncio.wait_for(reader.readline(), 10)).split()[1] == b"403"
    writer.close()
