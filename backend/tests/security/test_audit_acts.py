"""What must stand in the audit log: acts of accounts, things that are gone, and who it was from where."""

from __future__ import annotations

import sqlalchemy as sa

from app.models.audit import AuditEntry
from tests.fixtures.app import PASSWORD, RunningApp, sign_up
from tests.fixtures.files import upload
from tests.fixtures.identity import refresh


async def entries(running: RunningApp) -> list[AuditEntry]:
    async with running.container.database.system(read_only=True) as session:
        found = await session.execute(sa.select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id))
        return list(found.scalars())


async def test_the_life_of_an_account(running_app: RunningApp) -> None:
    client = running_app.client
    me = await sign_up(client)
    wrong = {"email": "ada@example.org", "password": "wrong, and long enough"}
    nobody = wrong | {"email": "nobody@example.org"}
    right = wrong | {"password": PASSWORD}
    for body in (wrong, nobody, right):
        await client.post("/api/auth/login", json=body, headers={"User-Agent": "canary/1"})
    await client.post("/api/auth/logout")

    found = await entries(running_app)

    told = [(e.action, str(e.user_id) if e.user_id else None) for e in found if e.workspace_id is None]
    ada = me["user"]["id"]
    assert told == [
        ("user.registered", ada),
        ("session.opened", ada),
        ("session.refused", ada),
        ("session.refused", None),
        ("session.opened", ada),
        ("session.closed", ada),
        ("session.closed", ada),
    ]
    refused = next(e for e in found if e.action == "session.refused")
    assert (refused.address, refused.user_agent) == ("127.0.0.1", "canary/1")
    assert refused.request_id
    assert all("nobody" not in str(e.detail) for e in found)


async def test_a_stolen_refresh_token_is_told(running_app: RunningApp) -> None:
    client = running_app.client
    await sign_up(client)
    first = client.cookies["transcribe_refresh"]
    client.cookies.clear()
    second = (await refresh(client, first)).cookies["transcribe_refresh"]
    await refresh(client, second)
    assert (await refresh(client, first)).status_code == 401
    assert [e.action for e in await entries(running_app)][-1] == "session.reuse_detected"


async def test_what_is_deleted_is_told(running_app: RunningApp) -> None:
    client = running_app.client
    me = await sign_up(client)
    file_id = (await upload(client, b"abc", "a.txt"))["id"]
    job = (await client.post("/api/jobs", json={"file_id": file_id})).json()
    assert (await client.delete(f"/api/files/{file_id}")).status_code == 409
    assert (await client.delete(f"/api/jobs/{job['id']}")).status_code == 204
    again = (await upload(client, b"abc", "b.txt"))["id"]
    assert (await client.delete(f"/api/files/{again}")).status_code == 204

    told = [(e.action, e.target_id) for e in await entries(running_app) if e.action.endswith(".deleted")]

    assert told == [("job.deleted", job["id"]), ("file.deleted", again)]
    log = await client.get(f"/api/workspaces/{me['user']['workspaces'][0]['id']}/audit")
    assert {"job.deleted", "file.deleted"} <= {entry["action"] for entry in log.json()["items"]}


async def test_recordings_are_named_while_they_are_there(running_app: RunningApp) -> None:
    client = running_app.client
    me = await sign_up(client)
    file_id = (await upload(client, b"abc", "a.txt"))["id"]
    job = (await client.post("/api/jobs", json={"file_id": file_id})).json()
    assert (await client.post(f"/api/jobs/{job['id']}/shares", json={})).status_code == 201
    await client.get(f"/api/files/{file_id}/url")

    async def named() -> dict[str, str | None]:
        await running_app.container.access_log.flush()
        log = await client.get(f"/api/workspaces/{me['user']['workspaces'][0]['id']}/audit")
        return {entry["action"]: entry["target_name"] for entry in log.json()["items"]}

    kept = await named()
    assert (kept["share_link.created"], kept["file.played"]) == ("a.txt", "a.txt")
    assert (await client.delete(f"/api/jobs/{job['id']}")).status_code == 204
    gone = await named()
    assert [gone[action] for action in ("share_link.created", "file.played", "job.deleted")] == [None] * 3
    assert "a.txt" not in str([entry.detail for entry in await entries(running_app)])
