"""API keys: what they reach, what they never reach, and when they are worth nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app.core.clock import to_json_time, utcnow
from app.models import ApiKey, Membership, Role
from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.identity import Person, register


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


async def make_key(app: RunningApp, person: Person, **body: Any) -> dict[str, Any]:
    answer = await app.client.post(
        f"/api/workspaces/{person.workspace_id}/api-keys",
        json={"name": "script"} | body,
        headers=person.bearer,
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def bearer(made: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['key']}"}


async def test_a_key_is_shown_once_and_works_like_its_user(app: RunningApp) -> None:
    ada = await register(app.client)
    made = await make_key(app, ada)
    assert made["key"].startswith(made["prefix"])
    sent = await app.client.post(
        "/api/transcribe", files={"file": ("notes.txt", b"Some words.")}, headers=bearer(made)
    )
    assert sent.status_code == 202, sent.text
    jobs = (await app.client.get("/api/jobs", headers=ada.bearer)).json()["items"]
    assert [job["id"] for job in jobs] == [sent.json()["job_id"]]
    me = (await app.client.get("/api/auth/me", headers=bearer(made))).json()
    assert (me["email"], me["is_admin"]) == ("ada@example.org", False)  # she is, her key is not
    await app.container.key_uses.flush()
    listed = await app.client.get(f"/api/workspaces/{ada.workspace_id}/api-keys", headers=ada.bearer)
    row = listed.json()["items"][0]
    assert row["last_used_at"] is not None
    assert made["key"] not in listed.text
    async with app.container.database.system(read_only=True) as session:
        stored = (await session.execute(sa.select(ApiKey))).scalar_one()
    assert made["key"] not in f"{stored.key_hash}{stored.prefix}{stored.name}"


async def test_row_27_a_key_names_no_other_workspace_of_its_user(app: RunningApp) -> None:
    ada = await register(app.client)
    second = await app.client.post("/api/workspaces", json={"name": "Secret plans"}, headers=ada.bearer)
    assert second.status_code == 201, second.text
    me = await app.client.get("/api/auth/me", headers=bearer(await make_key(app, ada)))
    assert [one["id"] for one in me.json()["workspaces"]] == [ada.workspace_id]
    assert "Secret plans" not in me.text
    own = (await app.client.get("/api/auth/me", headers=ada.bearer)).json()
    assert (len(own["workspaces"]), own["is_admin"]) == (2, True)


async def test_row_27_what_a_key_never_reaches(app: RunningApp) -> None:
    ada = await register(app.client)
    made = await make_key(app, ada)
    own = f"/api/workspaces/{ada.workspace_id}"
    for method, path, body in (
        ("POST", f"{own}/api-keys", {"name": "another"}),
        ("GET", f"{own}/api-keys", None),
        ("GET", f"{own}/members", None),
        ("POST", f"{own}/invitations", {"email": "x@example.org"}),
        ("PATCH", f"{own}/settings", {"prompt": "x"}),
        ("DELETE", own, {"name": "x"}),
        ("POST", "/api/workspaces", {"name": "x"}),
        ("POST", "/api/auth/password", {"current_password": "x", "new_password": "y"}),
        ("POST", "/api/auth/ticket", None),
        ("GET", "/api/admin/models", None),
        ("GET", "/api/admin/workspaces", None),
    ):
        answer = await app.client.request(method, path, json=body, headers=bearer(made))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden"), f"{method} {path}"
    assert (await app.client.get(f"{own}/settings", headers=bearer(made))).status_code == 200
    assert (await app.client.get(f"{own}/usage", headers=bearer(made))).status_code == 200


async def test_row_27_a_key_in_a_url_is_no_key(app: RunningApp) -> None:
    made = await make_key(app, await register(app.client))
    for query in ({"api_key": made["key"]}, {"token": made["key"]}, {"access_token": made["key"]}):
        assert (await app.client.get("/api/jobs", params=query)).status_code == 401


async def test_row_27_a_revoked_key_is_worth_nothing_at_once(app: RunningApp) -> None:
    ada = await register(app.client)
    made = await make_key(app, ada)
    path = f"/api/workspaces/{ada.workspace_id}/api-keys/{made['id']}"
    assert (await app.client.delete(path, headers=ada.bearer)).status_code == 204
    assert (await app.client.get("/api/jobs", headers=bearer(made))).status_code == 401
    assert (await app.client.delete(path, headers=ada.bearer)).status_code == 404


async def test_keys_end_when_they_should(app: RunningApp) -> None:
    ada = await register(app.client)
    made = await make_key(app, ada, expires_at=to_json_time(utcnow() + timedelta(hours=1)))
    assert (await app.client.get("/api/jobs", headers=bearer(made))).status_code == 200
    async with app.container.database.system() as session:
        await session.execute(sa.update(ApiKey).values(expires_at=utcnow() - timedelta(seconds=1)))
    assert (await app.client.get("/api/jobs", headers=bearer(made))).status_code == 401
    past = await app.client.post(
        f"/api/workspaces/{ada.workspace_id}/api-keys",
        json={"name": "old", "expires_at": to_json_time(utcnow() - timedelta(hours=1))},
        headers=ada.bearer,
    )
    assert (past.status_code, past.json()["error"]["field"]) == (422, "expires_at")


async def test_a_key_for_reading_changes_nothing(app: RunningApp) -> None:
    ada = await register(app.client)
    made = await make_key(app, ada, scopes=["read"])
    assert made["scopes"] == ["read"]
    assert (await app.client.get("/api/jobs", headers=bearer(made))).status_code == 200
    refused = await app.client.post(
        "/api/transcribe", files={"file": ("notes.txt", b"words")}, headers=bearer(made)
    )
    assert refused.status_code == 403
    assert (await app.client.delete(f"/api/jobs/{uuid4()}", headers=bearer(made))).status_code == 403


async def test_a_key_means_its_own_workspace_and_the_role_of_now(app: RunningApp) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    async with app.container.database.system() as session:
        session.add(Membership(workspace_id=UUID(ada.workspace_id), user_id=UUID(bob.id), role=Role.MEMBER))
    answer = await app.client.post(
        f"/api/workspaces/{ada.workspace_id}/api-keys", json={"name": "script"}, headers=bob.bearer
    )
    key = bearer(answer.json())
    sent = await app.client.post("/api/transcribe", files={"file": ("n.txt", b"words")}, headers=key)
    assert sent.status_code == 202
    seen = await app.client.get("/api/jobs", headers=ada.bearer)
    assert len(seen.json()["items"]) == 1
    for other in (bob.workspace_id, str(uuid4()), "nonsense"):
        assert (await app.client.get("/api/jobs", headers=key | {"X-Workspace-Id": other})).status_code == 404
    assert (await app.client.get(f"/api/workspaces/{bob.workspace_id}/usage", headers=key)).status_code == 404
    path = f"/api/workspaces/{ada.workspace_id}/members/{bob.id}"
    await app.client.patch(path, json={"role": "viewer"}, headers=ada.bearer)
    assert (await app.client.get("/api/jobs", headers=key)).status_code == 200
    refused = await app.client.post("/api/transcribe", files={"file": ("n.txt", b"words")}, headers=key)
    assert refused.status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda k: k[:-1],
        lambda k: k + "x",
        lambda k: k[:-1] + ("a" if k[-1] != "a" else "b"),
        lambda k: "tr_" + "é" * 46,
        lambda k: "tr_",
    ],
)
async def test_a_mistyped_key_looks_like_an_unknown_one(app: RunningApp, change: Any) -> None:
    made = await make_key(app, await register(app.client))
    wrong = {"Authorization": f"Bearer {change(made['key'])}".encode()}
    answer = await app.client.get("/api/jobs", headers=wrong)
    unknown = await app.client.get("/api/jobs", headers={"Authorization": "Bearer nonsense"})
    assert (answer.status_code, unknown.status_code) == (401, 401)
    assert {**answer.json()["error"], "request_id": ""} == {**unknown.json()["error"], "request_id": ""}
