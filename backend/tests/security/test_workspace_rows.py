"""Rows 27, 29, 32, 47, 54 and 56 of the threat table, over HTTP."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import sqlalchemy as sa
from websockets.asyncio.client import connect

from app.core.clock import utcnow
from app.models import AuditEntry, ExternalCall, Job, Membership, Role, Workspace
from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.identity import Person, register


async def join(app: RunningApp, person: Person, workspace_id: str, role: Role) -> None:
    async with app.container.database.system() as session:
        session.add(Membership(workspace_id=UUID(workspace_id), user_id=UUID(person.id), role=role))


async def waiting_job(app: RunningApp, person: Person, filename: str = "talk.txt") -> str:
    """A job that nobody takes up."""
    async with app.container.database.system() as session:
        await session.execute(sa.update(Workspace).values(quota_parallel_jobs=0))
    sent = await app.client.post(
        "/api/transcribe", files={"file": (filename, b"Words.")}, headers=person.bearer
    )
    assert sent.status_code == 202, sent.text
    return str(sent.json()["job_id"])


async def end_of_stream(app: RunningApp, path: str, headers: dict[str, str]) -> float:
    """Opens a stream and waits for its end; answers when that came."""
    async with remote(app) as client, client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200
        async for _ in answer.aiter_lines():
            pass
    return time.monotonic()


async def end_of_socket(app: RunningApp, job_id: str, headers: dict[str, str]) -> tuple[float, int]:
    """The same for a WebSocket, with the code it was closed with."""
    url = f"{app.base_url.replace('http', 'ws', 1)}/ws/jobs/{job_id}"
    async with connect(url, additional_headers=headers) as socket:
        await socket.wait_closed()
        return time.monotonic(), socket.close_code or 0


@pytest.fixture
async def served(serve_app: MakeApp, database_url: str) -> RunningApp:
    return await serve_app(database_url=database_url, transcription_backend="stub")


def remote(app: RunningApp) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=app.base_url, timeout=20)


async def test_row_29_open_streams_and_sockets_end_with_the_membership_or_the_key(served: RunningApp) -> None:
    ada, bob = await register(served.client), await register(served.client, "bob@example.org")
    await join(served, bob, ada.workspace_id, Role.MEMBER)
    job_id = await waiting_job(served, ada)
    workspace = {"X-Workspace-Id": ada.workspace_id}
    members = f"/api/workspaces/{ada.workspace_id}/members/{bob.id}"
    keys = f"/api/workspaces/{ada.workspace_id}/api-keys"
    made = (await served.client.post(keys, json={"name": "script"}, headers=ada.bearer)).json()
    key = {"Authorization": f"Bearer {made['key']}"}

    streams = [
        asyncio.create_task(end_of_stream(served, f"/api/jobs/{job_id}/events", bob.bearer | workspace)),
        asyncio.create_task(end_of_stream(served, "/api/jobs/events", bob.bearer | workspace)),
        asyncio.create_task(end_of_stream(served, "/api/jobs/events", key)),
    ]
    sockets = [
        asyncio.create_task(end_of_socket(served, job_id, bob.bearer | workspace)),
        asyncio.create_task(end_of_socket(served, job_id, key)),
    ]
    stays = asyncio.create_task(end_of_stream(served, "/api/jobs/events", ada.bearer))
    await asyncio.sleep(2.5)
    assert not any(task.done() for task in (*streams, *sockets, stays))

    began = time.monotonic()
    assert (await served.client.delete(members, headers=ada.bearer)).status_code == 204
    assert (await served.client.delete(f"{keys}/{made['id']}", headers=ada.bearer)).status_code == 204
    ends = await asyncio.gather(*streams)
    closed = await asyncio.gather(*sockets)

    assert max([*ends, *(moment for moment, _ in closed)]) - began <= 5
    assert [code for _, code in closed] == [4403, 4403]
    assert not stays.done()
    stays.cancel()
    await asyncio.gather(stays, return_exceptions=True)
    after = await served.client.get(f"/api/jobs/{job_id}", headers=bob.bearer | workspace)
    assert after.status_code == 404


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


FOREIGN_FIELDS: dict[str, Any] = {
    "role": "owner",
    "workspace_id": str(uuid4()),
    "user_id": str(uuid4()),
    "is_admin": True,
    "quota_minutes": None,
    "status": "completed",
    "event_seq": 0,
    "cost_micros": 0,
    "deleted_at": None,
}


async def test_row_32_no_body_takes_what_is_not_the_callers_to_set(app: RunningApp) -> None:
    ada = await register(app.client)
    own = f"/api/workspaces/{ada.workspace_id}"
    bodies: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/api/workspaces", {"name": "New"}),
        ("PATCH", own, {"name": "Renamed"}),
        ("PATCH", f"{own}/settings", {"prompt": "x"}),
        ("POST", f"{own}/invitations", {"email": "bob@example.org"}),
        ("POST", f"{own}/api-keys", {"name": "script"}),
        ("PATCH", f"{own}/members/{ada.id}", {"role": "owner"}),
        ("POST", "/api/jobs", {"file_id": str(uuid4())}),
        ("POST", "/api/files/presign", {"filename": "a.mp3", "size": 5}),
        ("POST", "/api/auth/register", {"email": "eve@example.org", "password": "a long pass phrase"}),
        ("PATCH", f"/api/admin{own.removeprefix('/api')}/quotas", {"minutes": 5}),
    ]
    for method, path, body in bodies:
        for name, value in FOREIGN_FIELDS.items():
            if name in body or (name == "role" and path.endswith("invitations")):
                continue
            answer = await app.client.request(method, path, json=body | {name: value}, headers=ada.bearer)
            assert answer.status_code == 422, f"{method} {path} {name}: {answer.text}"
            assert answer.json()["error"]["field"].endswith(name)
    workspace = (await app.client.get(own, headers=ada.bearer)).json()
    assert (workspace["role"], workspace["members"]) == ("owner", 1)
    async with app.container.database.system(read_only=True) as session:
        rows = (await session.execute(sa.select(Workspace))).scalars().all()
    assert [(row.quota_minutes, row.deleted_at, row.prompt) for row in rows] == [(None, None, "")]


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER, Role.VIEWER])
async def test_row_32_nobody_lifts_themselves(app: RunningApp, role: Role) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    await join(app, bob, ada.workspace_id, role)
    path = f"/api/workspaces/{ada.workspace_id}/members/{bob.id}"
    answer = await app.client.patch(path, json={"role": "owner"}, headers=bob.bearer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    listed = await app.client.get(f"/api/workspaces/{ada.workspace_id}/members", headers=ada.bearer)
    assert {m["email"]: m["role"] for m in listed.json()["items"]}["bob@example.org"] == role


async def test_row_47_a_job_over_the_cap_is_refused_before_any_provider_hears_of_it(
    make_app: MakeApp, database_url: str
) -> None:
    app = await make_app(
        database_url=database_url, transcription_backend="assemblyai", assemblyai_api_key="aai-not-a-real-key"
    )
    ada = await register(app.client)
    path = f"/api/admin/workspaces/{ada.workspace_id}/quotas"
    await app.client.patch(path, json={"minutes": 0}, headers=ada.bearer)
    refused = await app.client.post(
        "/api/transcribe", files={"file": ("a.wav", b"RIFF" + bytes(100))}, headers=ada.bearer
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "quota_exceeded")
    async with app.container.database.system(read_only=True) as session:
        assert (await session.execute(sa.select(ExternalCall))).all() == []
        assert (await session.execute(sa.select(Job))).all() == []


async def test_row_54_searching_finds_nothing_of_another_tenant(app: RunningApp) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    await waiting_job(app, ada, "Zeppelin minutes.txt")
    for person, found in ((ada, 1), (bob, 0)):
        for q in ("zeppelin", "Zeppelin minutes.txt", "%", "_"):
            answer = await app.client.get("/api/jobs", params={"q": q}, headers=person.bearer)
            assert answer.status_code == 200
            expected = found if q[0] not in "%_" else 0
            assert (len(answer.json()["items"]), answer.json()["next_cursor"]) == (expected, None), q
    both = await app.client.get("/api/workspaces", headers=bob.bearer)
    assert [one["id"] for one in both.json()["items"]] == [bob.workspace_id]
    log = await app.client.get(f"/api/workspaces/{bob.workspace_id}/audit", headers=bob.bearer)
    assert "Zeppelin" not in log.text


async def test_row_56_what_an_administrator_changes_is_in_the_workspaces_log(app: RunningApp) -> None:
    admin, bob = await register(app.client), await register(app.client, "bob@example.org")
    path = f"/api/admin/workspaces/{bob.workspace_id}/quotas"
    assert (await app.client.patch(path, json={"minutes": 7}, headers=admin.bearer)).status_code == 200
    assert (await app.client.patch(path, json={"minutes": 9}, headers=bob.bearer)).status_code == 403
    log = await app.client.get(f"/api/workspaces/{bob.workspace_id}/audit", headers=bob.bearer)
    entry = log.json()["items"][0]
    assert (entry["action"], entry["user"]["email"]) == ("workspace.quotas_changed", "ada@example.org")
    assert entry["detail"] == {"quotas": {"minutes": 7}}
    assert entry["created_at"] <= utcnow().isoformat()
    for tail in ("", "/members", "/audit", "/usage", "/settings", "/api-keys"):
        seen = await app.client.get(f"/api/workspaces/{bob.workspace_id}{tail}", headers=admin.bearer)
        assert seen.status_code == 404, tail
    async with app.container.database.system(read_only=True) as session:
        entries = (await session.execute(sa.select(AuditEntry.detail))).scalars().all()
    assert entries


async def test_an_empty_invitation_opens_no_closed_registration(make_app: MakeApp, sqlite_url: str) -> None:
    app = await make_app(database_url=sqlite_url)
    await register(app.client)
    closed = await make_app(database_url=sqlite_url, allow_registration=False, email_verification=True)
    for token in ("", None, "made up"):
        answer = await closed.client.post(
            "/api/auth/register",
            json={"email": "eve@example.org", "password": "a long pass phrase", "invitation_token": token},
        )
        assert answer.status_code == (410 if token else 403), answer.text
