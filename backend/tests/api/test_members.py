"""Workspaces and who belongs to them: roles, invitations, the last owner, and what goes with a workspace."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.models import AuditEntry, Invitation, Job, Membership, Role, Workspace
from app.services.identity.roles import MANAGES
from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.identity import Person, register


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


async def join(app: RunningApp, person: Person, workspace_id: str, role: Role) -> None:
    async with app.container.database.system() as session:
        session.add(Membership(workspace_id=UUID(workspace_id), user_id=UUID(person.id), role=role))


async def call(app: RunningApp, person: Person, method: str, path: str, **options: Any) -> Any:
    return await app.client.request(method, path, headers=person.bearer, **options)


async def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


async def test_make_rename_list_and_delete(app: RunningApp) -> None:
    ada = await register(app.client)
    made = await call(app, ada, "POST", "/api/workspaces", json={"name": "  Field   notes "})
    assert made.status_code == 201, made.text
    workspace = made.json()
    assert (workspace["name"], workspace["role"], workspace["members"]) == ("Field notes", "owner", 1)
    path = f"/api/workspaces/{workspace['id']}"
    renamed = await call(app, ada, "PATCH", path, json={"name": "Notes"})
    assert renamed.json()["name"] == "Notes"
    listed = (await call(app, ada, "GET", "/api/workspaces")).json()
    assert [one["id"] for one in listed["items"]] == [ada.workspace_id, workspace["id"]]
    await refused(await call(app, ada, "DELETE", path, json={"name": "Field notes"}), 422, "validation_error")
    assert (await call(app, ada, "DELETE", path, json={"name": "Notes"})).status_code == 204
    await refused(await call(app, ada, "GET", path), 404, "not_found")
    own = f"/api/workspaces/{ada.workspace_id}"
    name = (await call(app, ada, "GET", own)).json()["name"]
    await refused(await call(app, ada, "DELETE", own, json={"name": name}), 409, "conflict")
    await refused(await call(app, ada, "POST", f"{own}/leave"), 409, "conflict")


async def test_a_deleted_workspace_goes_with_its_rows_and_bytes(app: RunningApp) -> None:
    ada = await register(app.client)
    workspace = (await call(app, ada, "POST", "/api/workspaces", json={"name": "Notes"})).json()
    headers = ada.bearer | {"X-Workspace-Id": workspace["id"]}
    sent = await app.client.post(
        "/api/transcribe", files={"file": ("notes.txt", b"Some words.")}, headers=headers
    )
    assert sent.status_code == 202, sent.text
    folder = app.settings.storage_dir / "objects" / "w" / workspace["id"]
    assert folder.exists()
    path = f"/api/workspaces/{workspace['id']}"
    assert (await call(app, ada, "DELETE", path, json={"name": "Notes"})).status_code == 204
    await refused(await app.client.get("/api/jobs", headers=headers), 404, "not_found")
    for _ in range(200):
        async with app.container.database.system(read_only=True) as session:
            left = await session.get(Workspace, UUID(workspace["id"]))
            jobs = await session.scalar(sa.select(sa.func.count()).select_from(Job))
        if left is None and not folder.exists():
            break
        await asyncio.sleep(0.05)
    assert (left, jobs, folder.exists()) == (None, 0, False)


async def test_another_ones_workspace_looks_like_none(app: RunningApp) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    for method, tail, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine"}),
        ("DELETE", "", {"name": "Mine"}),
        ("POST", "/leave", None),
        ("GET", "/members", None),
        ("GET", "/invitations", None),
        ("POST", "/invitations", {"email": "c@example.org"}),
        ("GET", "/usage", None),
        ("GET", "/audit", None),
        ("GET", "/settings", None),
        ("GET", "/api-keys", None),
        ("POST", "/api-keys", {"name": "key"}),
    ):
        bodies = []
        for workspace in (ada.workspace_id, str(uuid4())):
            answer = await call(app, bob, method, f"/api/workspaces/{workspace}{tail}", json=body)
            assert answer.status_code == 404, f"{method} {tail}: {answer.text}"
            bodies.append({**answer.json()["error"], "request_id": ""})
        assert bodies[0] == bodies[1]


async def invite(app: RunningApp, inviter: Person, email: str, role: str = "member") -> str:
    """The token of a new invitation."""
    answer = await call(
        app,
        inviter,
        "POST",
        f"/api/workspaces/{inviter.workspace_id}/invitations",
        json={"email": email, "role": role},
    )
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["url"].rpartition("/")[2])


async def test_an_invitation_is_accepted_once_by_its_address(app: RunningApp) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    eve = await register(app.client, "eve@example.org")
    token = await invite(app, ada, "Bob@Example.org", "viewer")
    offer = await app.client.post("/api/invitations/inspect", json={"token": token})
    assert offer.json()["email"] == "bob@example.org"
    assert (offer.json()["role"], offer.json()["has_account"]) == ("viewer", True)
    await refused(
        await call(app, eve, "POST", "/api/invitations/accept", json={"token": token}), 403, "wrong_account"
    )
    answers = await asyncio.gather(
        *(call(app, bob, "POST", "/api/invitations/accept", json={"token": token}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 410, 410, 410]
    members = (await call(app, bob, "GET", f"/api/workspaces/{ada.workspace_id}/members")).json()["items"]
    assert {m["email"]: m["role"] for m in members} == {
        "ada@example.org": "owner",
        "bob@example.org": "viewer",
    }
    await refused(
        await app.client.post("/api/invitations/inspect", json={"token": token}), 410, "token_invalid"
    )


async def test_invitations_are_replaced_revoked_and_expire(app: RunningApp) -> None:
    ada = await register(app.client)
    first = await invite(app, ada, "bob@example.org")
    second = await invite(app, ada, "bob@example.org")
    await refused(
        await app.client.post("/api/invitations/inspect", json={"token": first}), 410, "token_invalid"
    )
    path = f"/api/workspaces/{ada.workspace_id}/invitations"
    listed = (await call(app, ada, "GET", path)).json()["items"]
    assert [one["email"] for one in listed] == ["bob@example.org"]
    assert "url" not in listed[0] or listed[0]["url"] is None
    assert (await call(app, ada, "DELETE", f"{path}/{listed[0]['id']}")).status_code == 204
    await refused(
        await app.client.post("/api/invitations/inspect", json={"token": second}), 410, "token_invalid"
    )
    third = await invite(app, ada, "bob@example.org")
    async with app.container.database.system() as session:
        await session.execute(sa.update(Invitation).values(expires_at=utcnow() - timedelta(seconds=1)))
    await refused(
        await app.client.post("/api/invitations/inspect", json={"token": third}), 410, "token_invalid"
    )
    assert (await call(app, ada, "GET", path)).json()["items"] == []


@pytest.mark.parametrize("role", list(Role))
async def test_row_32_each_role_may_what_the_table_says(app: RunningApp, role: Role) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    await join(app, bob, ada.workspace_id, role)
    path = f"/api/workspaces/{ada.workspace_id}"
    manages = MANAGES[role]
    managing = 200 if manages else 403
    assert (await call(app, bob, "PATCH", path, json={"name": "Ours"})).status_code == managing
    assert (await call(app, bob, "PATCH", f"{path}/settings", json={"prompt": "x"})).status_code == managing
    assert (await call(app, bob, "GET", f"{path}/audit")).status_code == managing
    assert (await call(app, bob, "GET", f"{path}/invitations")).status_code == managing
    assert (await call(app, bob, "GET", f"{path}/members")).status_code == 200
    for wanted in Role:
        answer = await call(
            app, bob, "POST", f"{path}/invitations", json={"email": "new@example.org", "role": wanted}
        )
        assert answer.status_code == (201 if wanted in manages else 403), wanted
    for other in Role:
        person = await register(app.client, f"{other}@example.org")
        await join(app, person, ada.workspace_id, other)
        answer = await call(app, bob, "DELETE", f"{path}/members/{person.id}")
        assert answer.status_code == (204 if other in manages else 403), other
    file = {"filename": "a.mp3", "size": 10}
    headers = bob.bearer | {"X-Workspace-Id": ada.workspace_id}
    sent = await app.client.post("/api/files/presign", json=file, headers=headers)
    assert sent.status_code == (403 if role == Role.VIEWER else 201)
    deleted = await call(app, bob, "DELETE", path, json={"name": "no"})
    assert deleted.status_code == (422 if role == Role.OWNER else 403)
    admin = await call(app, bob, "GET", "/api/admin/workspaces")
    assert admin.status_code == 403


async def test_two_owners_cannot_both_step_down(app: RunningApp) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    await join(app, bob, ada.workspace_id, Role.OWNER)
    path = f"/api/workspaces/{ada.workspace_id}/members"
    answers = await asyncio.gather(
        call(app, ada, "PATCH", f"{path}/{bob.id}", json={"role": "viewer"}),
        call(app, bob, "PATCH", f"{path}/{ada.id}", json={"role": "viewer"}),
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 403], [200, 409])
    await refused(await call(app, bob, "POST", f"/api/workspaces/{bob.workspace_id}/leave"), 409, "conflict")


async def test_row_29_a_removed_member_sees_nothing_any_more(app: RunningApp) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    await join(app, bob, ada.workspace_id, Role.MEMBER)
    headers = bob.bearer | {"X-Workspace-Id": ada.workspace_id}
    assert (await app.client.get("/api/jobs", headers=headers)).status_code == 200
    key = await call(
        app, bob, "POST", f"/api/workspaces/{ada.workspace_id}/api-keys", json={"name": "script"}
    )
    bearer = {"Authorization": f"Bearer {key.json()['key']}"}
    assert (await app.client.get("/api/jobs", headers=bearer)).status_code == 200
    path = f"/api/workspaces/{ada.workspace_id}/members/{bob.id}"
    assert (await call(app, ada, "DELETE", path)).status_code == 204
    assert (await app.client.get("/api/jobs", headers=headers)).status_code == 404
    assert (await app.client.get("/api/jobs", headers=bearer)).status_code == 401


async def test_the_log_tells_who_did_what(app: RunningApp) -> None:
    ada = await register(app.client)
    await invite(app, ada, "bob@example.org")
    path = f"/api/workspaces/{ada.workspace_id}"
    await call(app, ada, "PATCH", f"{path}/settings", json={"prompt": "x"})
    page = (await call(app, ada, "GET", f"{path}/audit", params={"limit": 1})).json()
    assert page["items"][0]["action"] == "workspace.settings_changed"
    assert page["items"][0]["detail"] == {"changed": ["prompt"]}
    assert page["items"][0]["user"] == {"id": ada.id, "email": "ada@example.org"}
    following = (
        await call(app, ada, "GET", f"{path}/audit", params={"limit": 1, "cursor": page["next_cursor"]})
    ).json()
    assert following["items"][0]["action"] == "invitation.created"
    async with app.container.database.system(read_only=True) as session:
        entries = (await session.execute(sa.select(AuditEntry))).scalars().all()
    assert all(entry.request_id for entry in entries)
