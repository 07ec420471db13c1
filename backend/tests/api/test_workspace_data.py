"""What a workspace's end, its log of accesses and its limits do to the data in it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.clock import new_id, utcnow
from app.core.errors import UnavailableError
from app.db.session import Database
from app.models import AuditEntry, CallState, ExternalCall, Job, MediaFile, Membership, UsageRecord, Workspace
from app.services.access_log import AccessLog
from app.services.admin.removal import WorkspaceRemoval
from app.services.identity.quotas import MINUTE_MS
from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.files import MIB
from tests.fixtures.identity import Person, register


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


async def finished(app: RunningApp, person: Person, words: str = "Some words.") -> dict[str, Any]:
    sent = await app.client.post(
        "/api/transcribe", files={"file": ("talk.txt", words.encode())}, headers=person.bearer
    )
    assert sent.status_code == 202, sent.text
    for _ in range(400):
        answer = await app.client.get(f"/api/jobs/{sent.json()['job_id']}", headers=person.bearer)
        job: dict[str, Any] = answer.json()
        if job["status"] == "completed":
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)


async def limit(app: RunningApp, admin: Person, **quotas: int | None) -> None:
    answer = await app.client.patch(
        f"/api/admin/workspaces/{admin.workspace_id}/quotas", json=quotas, headers=admin.bearer
    )
    assert answer.status_code == 200, answer.text


async def test_two_jobs_at_once_do_not_both_take_the_last_minutes(app: RunningApp) -> None:
    ada = await register(app.client)
    job = await finished(app, ada)
    async with app.container.database.system() as session:
        await session.execute(sa.update(MediaFile).values(duration_ms=3 * MINUTE_MS))
        await session.execute(sa.delete(UsageRecord))
    await limit(app, ada, minutes=5, parallel_jobs=0)
    answers = await asyncio.gather(
        *(
            app.client.post("/api/jobs", json={"file_id": job["file_id"]}, headers=ada.bearer)
            for _ in range(5)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 402, 402, 402, 402]
    refused = next(answer.json()["error"] for answer in answers if answer.status_code == 402)
    assert (refused["code"], refused["field"]) == ("quota_exceeded", "minutes")
    assert "2:00 of its 5 minutes" in refused["message"]
    assert "administrator" in refused["message"]
    made = next(answer.json() for answer in answers if answer.status_code == 201)
    cancelled = await app.client.post(f"/api/jobs/{made['id']}/cancel", headers=ada.bearer)
    assert cancelled.status_code == 200
    again = await app.client.post("/api/jobs", json={"file_id": job["file_id"]}, headers=ada.bearer)
    assert again.status_code == 201
    await app.client.delete(f"/api/jobs/{again.json()['id']}", headers=ada.bearer)
    usage = await app.client.get(f"/api/workspaces/{ada.workspace_id}/usage", headers=ada.bearer)
    assert usage.json()["minutes"] == {"used": 0, "reserved": 0, "limit": 5}


async def test_recordings_that_stream_in_side_by_side_stay_within_the_limit(app: RunningApp) -> None:
    ada = await register(app.client)
    await limit(app, ada, storage_bytes=1000, parallel_jobs=0)
    answers = await asyncio.gather(
        *(
            app.client.post("/api/transcribe", files={"file": ("a.txt", b"x" * 600)}, headers=ada.bearer)
            for _ in range(4)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [202, 402, 402, 402]
    usage = await app.client.get(f"/api/workspaces/{ada.workspace_id}/usage", headers=ada.bearer)
    assert usage.json()["storage_bytes"]["used"] == 600
    kept = [path for path in (app.settings.storage_dir / "objects").rglob("*") if path.is_file()]
    assert len(kept) == 1


async def test_row_19_addresses_of_a_deleted_workspaces_uploads_take_nothing_any_more(
    app: RunningApp,
) -> None:
    ada, client = await register(app.client), app.client
    made = await client.post("/api/workspaces", json={"name": "Gone"}, headers=ada.bearer)
    headers = ada.bearer | {"X-Workspace-Id": made.json()["id"]}
    addresses = []
    for size in (5, 9 * MIB):
        wanted = {"filename": "a.wav", "size": size}
        opened = (await client.post("/api/files/presign", json=wanted, headers=headers)).json()
        parts = f"/api/files/uploads/{opened['upload_id']}/parts"
        signed = await client.post(parts, json={"part_numbers": [1]}, headers=headers)
        addresses.append(signed.json()["parts"][0])
    first = addresses[0]
    assert (await client.put(first["url"], content=b"a" * first["size"])).status_code == 200
    path = f"/api/workspaces/{made.json()['id']}"
    gone = await client.request("DELETE", path, json={"name": "Gone"}, headers=ada.bearer)
    assert gone.status_code == 204, gone.text
    uploads = app.settings.storage_dir / "uploads"
    for _ in range(400):
        if not list(uploads.iterdir()):
            break
        await asyncio.sleep(0.05)
    for part in addresses:
        answer = await client.put(part["url"], content=b"b" * part["size"])
        assert answer.status_code == 403, answer.text
        assert "nothing can be added" in answer.json()["error"]["message"]
    assert list(uploads.iterdir()) == []


async def test_a_deleted_workspace_is_emptied_after_a_crash_too(app: RunningApp) -> None:
    """The bytes cannot be removed at first, and a provider still has to delete something."""
    ada = await register(app.client)
    made = await app.client.post("/api/workspaces", json={"name": "Notes"}, headers=ada.bearer)
    workspace_id = UUID(made.json()["id"])
    headers = ada.bearer | {"X-Workspace-Id": str(workspace_id)}
    await app.client.post("/api/transcribe", files={"file": ("a.txt", b"Words.")}, headers=headers)
    wanted = {"filename": "b.txt", "size": 5}
    opened = await app.client.post("/api/files/presign", json=wanted, headers=headers)
    assert opened.status_code == 201, opened.text
    container, stopped = app.container, []
    async with container.database.system() as session:
        job_id = await session.scalar(sa.select(Job.id).where(Job.workspace_id == workspace_id))
        session.add(
            ExternalCall(
                workspace_id=workspace_id,
                job_id=job_id,
                run=1,
                window=0,
                engine="assemblyai",
                state=CallState.DONE,
                provider_id="p-1",
                created_at=utcnow().replace(year=2020),
            )
        )
        await session.execute(
            sa.update(Workspace).where(Workspace.id == workspace_id).values(deleted_at=utcnow())
        )

    class Away:
        async def abort_upload(self, upload: str) -> None:
            raise UnavailableError(f"{upload}: the store is away.")

        async def delete_tree(self, folder: str) -> None:
            raise UnavailableError(f"{folder}: the store is away.")

    broken: Any = Away()
    assert await WorkspaceRemoval(container.database, broken, interrupt=stopped.append).run_once() == 0
    assert stopped == [job_id]
    folder = app.settings.storage_dir / "objects" / "w" / str(workspace_id)
    assert folder.exists()
    removal = WorkspaceRemoval(container.database, container.store, interrupt=stopped.append)
    assert await removal.run_once() == 1
    assert not folder.exists()
    async with container.database.system(read_only=True) as session:
        workspace = await session.get_one(Workspace, workspace_id)
        assert workspace.name == ""
        members = sa.select(Membership).where(Membership.workspace_id == workspace_id)
        assert (await session.execute(members)).all() == []
    async with container.database.system() as session:
        await session.execute(sa.update(ExternalCall).values(state=CallState.CLEANED))
    assert await removal.run_once() == 1
    async with container.database.system(read_only=True) as session:
        assert await session.get(Workspace, workspace_id) is None
    assert await removal.run_once() == 0


async def accesses(app: RunningApp, person: Person) -> list[tuple[str, str, str | None]]:
    await app.container.access_log.flush()
    answer = await app.client.get(f"/api/workspaces/{person.workspace_id}/audit", headers=person.bearer)
    assert answer.status_code == 200
    return sorted(
        (entry["action"], entry["user"]["email"], entry["target_id"])
        for entry in answer.json()["items"]
        if entry["action"].split(".")[0] in ("transcript", "file")
    )


async def test_who_read_what_is_kept_once_an_hour(app: RunningApp) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    job = await finished(app, ada, "Very private words.")
    async with app.container.database.system() as session:
        session.add(Membership(workspace_id=UUID(ada.workspace_id), user_id=UUID(bob.id), role="viewer"))
    path = f"/api/jobs/{job['id']}"
    for _ in range(3):
        await app.client.get(f"{path}/result", headers=ada.bearer)
    await app.client.get(f"{path}/download", headers=ada.bearer)
    await app.client.get(f"{path}/download?format=srt", headers=ada.bearer)
    await app.client.get(f"/api/files/{job['file_id']}/url", headers=ada.bearer)
    await app.client.get(f"{path}/result", headers=bob.bearer | {"X-Workspace-Id": ada.workspace_id})
    await app.client.get(f"{path}/result", headers=bob.bearer)  # not of his own workspace: 404, no entry
    await app.client.get(f"/api/jobs/{new_id()}/result", headers=ada.bearer)
    expected = [
        ("file.played", "ada@example.org", job["file_id"]),
        ("transcript.downloaded", "ada@example.org", job["id"]),
        ("transcript.downloaded", "ada@example.org", job["id"]),
        ("transcript.read", "ada@example.org", job["id"]),
        ("transcript.read", "bob@example.org", job["id"]),
    ]
    assert await accesses(app, ada) == expected
    await app.client.get(f"{path}/result", headers=ada.bearer)
    assert await accesses(app, ada) == expected
    async with app.container.database.system(read_only=True) as session:
        entries = (await session.execute(sa.select(AuditEntry))).scalars().all()
    assert not any("private" in str(vars(entry)) for entry in entries)


async def test_an_access_is_not_lost_while_the_database_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AccessLog(database)
    log.note("transcript.read", workspace_id=new_id(), target=("job", new_id()))

    def away(**_: Any) -> Any:
        raise UnavailableError("The database does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(database, "system", away)
        with pytest.raises(UnavailableError):
            await log.flush()
    assert await log.flush() == 1
    assert await log.flush() == 0
    async with database.system(read_only=True) as session:
        entry = (await session.execute(sa.select(AuditEntry))).scalar_one()
    assert entry.action == "transcript.read"
