"""Register, sign in, look at oneself, change the password, sign out."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from app.core.passwords import Passwords
from tests.fixtures.app import PASSWORD, MakeApp, RunningApp
from tests.fixtures.identity import COOKIE, login, refresh, register

EMAIL = "ada@example.org"
NEW_PASSWORD = "quite another long sentence"


def error_of(answer: httpx2.Response) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    return error


async def test_register_signs_in_and_answers_like_me(app_client: httpx2.AsyncClient) -> None:
    answer = await app_client.post(
        "/api/auth/register", json={"email": f"  {EMAIL.upper()} ", "password": PASSWORD, "name": "Ada"}
    )

    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "user"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 600)
    user = body["user"]
    assert (user["email"], user["name"]) == (EMAIL, "Ada")
    assert [(w["name"], w["role"]) for w in user["workspaces"]] == [("Ada's workspace", "owner")]
    me = await app_client.get("/api/auth/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert (me.status_code, me.json()) == (200, user)


async def test_register_needs_no_name(app_client: httpx2.AsyncClient) -> None:
    user = (await register(app_client)).body["user"]

    assert user["name"] is None
    assert user["workspaces"][0]["name"] == "ada's workspace"


async def test_register_with_a_known_address_is_a_conflict(app_client: httpx2.AsyncClient) -> None:
    await register(app_client)

    answer = await app_client.post(
        "/api/auth/register", json={"email": "ADA@Example.org", "password": PASSWORD}
    )

    assert answer.status_code == 409
    assert (error_of(answer)["code"], error_of(answer)["field"]) == ("conflict", "email")


async def test_simultaneous_registrations_make_one_account_and_one_admin(
    app_client: httpx2.AsyncClient,
) -> None:
    async def attempt(email: str) -> httpx2.Response:
        return await app_client.post("/api/auth/register", json={"email": email, "password": PASSWORD})

    answers = await asyncio.gather(*map(attempt, [EMAIL, EMAIL, EMAIL, "bob@example.org", "eve@example.org"]))

    assert sorted(a.status_code for a in answers) == [201, 201, 201, 409, 409]
    admins = [a.json()["user"]["is_admin"] for a in answers if a.status_code == 201]
    assert sorted(admins) == [False, False, True]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody", "password": PASSWORD}, "email"),
        ({"email": "a@b@c", "password": PASSWORD}, "email"),
        ({"email": "ada\0@example.org", "password": PASSWORD}, "email"),
        ({"email": "a" * 300 + "@example.org", "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": "short"}, "password"),
        ({"email": EMAIL, "password": "elevenchars"}, "password"),
        ({"email": EMAIL, "password": "x" * 1025}, "password"),
        ({"email": EMAIL, "password": "ß" * 513}, "password"),
        ({"email": EMAIL, "password": "aaaaaaaaaaaaaaaa"}, "password"),
        ({"email": EMAIL, "password": "Password1234"}, "password"),
        ({"email": "somebody@example.org", "password": "Somebody@example.org"}, "password"),
        ({"email": EMAIL, "password": 123456789012}, "password"),
        ({"email": EMAIL, "password": None}, "password"),
        ({"email": EMAIL}, "password"),
        ({"email": EMAIL, "password": PASSWORD, "name": "a\0b"}, "name"),
        ({"email": EMAIL, "password": PASSWORD, "name": "x" * 201}, "name"),
        ({"email": EMAIL, "password": PASSWORD, "is_admin": True}, "is_admin"),
    ],
)
async def test_register_refuses(make_app: MakeApp, body: dict[str, Any], field: str) -> None:
    client = (await make_app()).client

    answer = await client.post("/api/auth/register", json=body)

    assert answer.status_code == 422
    assert (error_of(answer)["code"], error_of(answer)["field"]) == ("validation_error", field)
    assert str(body.get("password")) not in answer.text


@pytest.mark.parametrize(
    "password",
    [
        "twelve chars",
        "a phrase of many words, longer than what bcrypt would have looked at, and then some more",
        "пароль который длинный",
        "🐎🔋📎🎷🌋🧲🪁🦉🍋🛶🎡🧭",
        "  spaces kept  ",
        "tab\tand\0nul inside",
    ],
)
async def test_row_23_long_passwords_in_any_script_are_taken(make_app: MakeApp, password: str) -> None:
    client = (await make_app()).client
    await register(client, password=password)

    await login(client, password=password)
    answer = await client.post("/api/auth/login", json={"email": EMAIL, "password": password.strip() + "x"})
    assert answer.status_code == 401


async def test_row_23_passwords_that_agree_in_72_bytes_differ(make_app: MakeApp) -> None:
    """Threat row 23: what bcrypt would cut off counts here."""
    client = (await make_app()).client
    await register(client, password="correct horse " * 6 + "a" * 16)

    answer = await client.post(
        "/api/auth/login", json={"email": EMAIL, "password": "correct horse " * 6 + "b" * 16}
    )

    assert answer.status_code == 401


async def test_composed_and_decomposed_letters_are_one_password(make_app: MakeApp) -> None:
    client = (await make_app()).client
    await register(client, password="caf\u00e9 au lait, s'il")

    await login(client, password="cafe\u0301 au lait, s'il")


async def test_lone_surrogates_are_refused_politely(make_app: MakeApp) -> None:
    client = (await make_app()).client
    for path in ("register", "login"):
        raw = b'{"email": "ada@example.org", "password": "\\ud800 long enough"}'
        answer = await client.post(
            f"/api/auth/{path}", content=raw, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (401, 422), answer.text


class CountingPasswords(Passwords):
    """Counts the checks and remembers what they were made against."""

    def __init__(self) -> None:
        super().__init__()
        self.checked: list[str | None] = []

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        self.checked.append(stored)
        return await super().verify(password, stored)


async def test_row_24_unknown_users_and_wrong_passwords_look_alike(running_app: RunningApp) -> None:
    """Threat row 24: the same body after the same work, one hash each."""
    client = running_app.client
    await register(client)
    passwords = CountingPasswords()
    running_app.container.identity.passwords = passwords
    attempts = [
        {"email": EMAIL, "password": "wrong but quite long"},
        {"email": "nobody@example.org", "password": "wrong but quite long"},
        {"email": "not an address\0", "password": "wrong but quite long"},
        {"email": EMAIL, "password": "x" * 5000},
        {"email": EMAIL, "password": ""},
    ]

    answers = [await client.post("/api/auth/login", json=attempt) for attempt in attempts]

    assert {a.status_code for a in answers} == {401}
    assert {(error_of(a)["code"], error_of(a)["message"]) for a in answers} == {
        ("unauthenticated", "The e-mail address or the password is wrong.")
    }
    assert [stored is None for stored in passwords.checked] == [False, True, True, False, False]
    assert all(COOKIE not in a.cookies for a in answers)


async def test_row_25_a_flood_of_sign_ins_is_turned_away(make_app: MakeApp) -> None:
    running = await make_app()
    running.container.identity.passwords = Passwords(workers=1, waiting=1)
    body = {"email": EMAIL, "password": PASSWORD}

    answers = await asyncio.gather(*(running.client.post("/api/auth/login", json=body) for _ in range(12)))

    refused = [a for a in answers if a.status_code == 429]
    assert refused
    assert {a.status_code for a in answers} == {401, 429}
    assert error_of(refused[0])["code"] == "rate_limited"
    assert int(refused[0].headers["retry-after"]) == error_of(refused[0])["retry_after"]


async def test_the_oauth2_form_answers_a_token_and_no_cookie(app_client: httpx2.AsyncClient) -> None:
    await register(app_client)

    answer = await app_client.post(
        "/api/auth/token", data={"grant_type": "password", "username": EMAIL, "password": PASSWORD}
    )
    wrong = await app_client.post("/api/auth/token", data={"username": EMAIL, "password": "wrong, and long"})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    token = answer.json()["access_token"]
    me = await app_client.get("/api/auth/me", headers={"Authorization": f"bearer {token}"})
    assert me.json() == answer.json()["user"]
    assert wrong.status_code == 401


async def test_logout_ends_the_session_at_once_by_cookie_or_bearer(app_client: httpx2.AsyncClient) -> None:
    first, second = await register(app_client), await login(app_client)

    by_cookie = await app_client.post(
        "/api/auth/logout", headers={"Cookie": f"{COOKIE}={first.refresh_token}"}
    )
    by_bearer = await app_client.post("/api/auth/logout", headers=second.bearer)
    by_nothing = await app_client.post("/api/auth/logout")

    assert [a.status_code for a in (by_cookie, by_bearer, by_nothing)] == [204, 204, 204]
    cleared = by_cookie.headers["set-cookie"]
    assert "Max-Age=0" in cleared
    assert "Path=/api/auth" in cleared
    for person in (first, second):
        assert (await app_client.get("/api/auth/me", headers=person.bearer)).status_code == 401
        assert (await refresh(app_client, person.refresh_token)).status_code == 401


async def test_a_new_password_ends_all_other_sessions(app_client: httpx2.AsyncClient) -> None:
    here, there = await register(app_client), await login(app_client)
    other = await register(app_client, "bob@example.org")
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}

    answer = await app_client.post("/api/auth/password", json=change, headers=here.bearer)

    assert answer.status_code == 204
    assert (await app_client.get("/api/auth/me", headers=here.bearer)).status_code == 200
    assert (await refresh(app_client, here.refresh_token)).status_code == 200
    assert (await app_client.get("/api/auth/me", headers=there.bearer)).status_code == 401
    assert (await refresh(app_client, there.refresh_token)).status_code == 401
    assert (await app_client.get("/api/auth/me", headers=other.bearer)).status_code == 200
    assert (
        await app_client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
    ).status_code == 401
    await login(app_client, password=NEW_PASSWORD)


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        (
            {"current_password": "wrong, and long", "new_password": NEW_PASSWORD},
            403,
            "wrong_password",
            "current_password",
        ),
        ({"current_password": PASSWORD, "new_password": "short"}, 422, "validation_error", "new_password"),
        ({"current_password": PASSWORD, "new_password": EMAIL}, 422, "validation_error", "new_password"),
        ({"current_password": PASSWORD}, 422, "validation_error", "new_password"),
    ],
)
async def test_a_refused_change_of_password_changes_nothing(
    make_app: MakeApp, change: dict[str, str], status: int, code: str, field: str
) -> None:
    client = (await make_app()).client
    here, there = await register(client), await login(client)

    answer = await client.post("/api/auth/password", json=change, headers=here.bearer)

    assert answer.status_code == status
    assert (error_of(answer)["code"], error_of(answer)["field"]) == (code, field)
    assert (await client.get("/api/auth/me", headers=there.bearer)).status_code == 200
    await login(client)


@pytest.mark.parametrize("path", ["me", "password", "ticket"])
async def test_nobody_is_told_to_sign_in(make_app: MakeApp, path: str) -> None:
    client = (await make_app()).client
    for header in ({}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Basic YTpi"}):
        method = "GET" if path == "me" else "POST"
        answer = await client.request(method, f"/api/auth/{path}", headers=header)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert error_of(answer)["code"] == "unauthenticated"
