"""Two tenants with one of everything, for the tenant fuzz; and a fingerprint of the whole database."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import httpx2
import sqlalchemy as sa

from app.db.base import Base
from app.db.session import Database
from app.models import (
    Delivery,
    DeliveryState,
    ExternalIdentity,
    MediaFile,
    Membership,
    RenditionState,
    Transcript,
)
from tests.api.test_jobs import finished
from tests.fixtures.app import RunningApp
from tests.fixtures.files import file_url, presign
from tests.fixtures.identity import Person, register

# Columns that note when something was used, and so change by being asked for.
NOTES = {"last_used_at"}
# Tables that are no tenant's and go by the clock: whose turn it is at the periodic work.
CLOCKWORK = {"periodic_tasks"}


@dataclass(slots=True)
class Seed:
    """One tenant: who owns it, and the id of one of each thing."""

    person: Person
    ids: dict[str, str]
    media_url: str
    part_url: str
    cursor: str
    revoked_key: str = ""
    key: str = ""
    secrets: set[str] = field(default_factory=set)


async def seed(app: RunningApp, name: str) -> Seed:
    """An account with a finished job, a recording, an open upload, a link with a password, an invitation and a key."""
    async with app.new_client() as client:
        person = await register(client, f"{name}@example.org", name=name)
        client.headers.update(person.bearer)
        job = await finished(client, text=f"The words of {name}.\n", name=f"{name}s-talk.txt")
        await finished(client, text=f"More words of {name}.\n", name=f"{name}s-other-talk.txt")
        opened = await presign(client, 10, f"{name}.wav")
        link = await _made(client, f"/api/jobs/{job['id']}/shares", password="a good long one")
        base = f"/api/workspaces/{person.workspace_id}"
        invitation = await _made(client, f"{base}/invitations", email=f"friend-of-{name}@example.org")
        key = await _made(client, f"{base}/api-keys", name="k", scopes=["read", "write"])
        old = await _made(client, f"{base}/api-keys", name="old", scopes=["read", "write"])
        assert (await client.delete(f"{base}/api-keys/{old['id']}")).status_code == 204
        hook = await _made(client, "/api/webhooks", url=f"https://hooks.example.org/{name}")
        async with app.container.database.system() as session:
            session.add(
                ExternalIdentity(
                    issuer="https://login.example.org",
                    subject=name,
                    user_id=UUID(person.id),
                    email=f"{name}@example.org",
                )
            )
        identities = (await client.get("/api/auth/oidc/identities")).json()["items"]
        sessions = (await client.get("/api/auth/sessions")).json()["items"]
        page = (await client.get("/api/jobs?limit=1")).json()
        media = await file_url(client, job["file_id"])
    delivery_id = await _delivered(app, person.workspace_id, hook["id"])
    ids = {
        "workspace_id": person.workspace_id,
        "job_id": job["id"],
        "file_id": job["file_id"],
        "upload_id": opened["upload_id"],
        "share_id": link["id"],
        "token": link["token"],
        "user_id": person.id,
        "invitation_id": invitation["id"],
        "key_id": key["id"],
        "session_id": sessions[0]["id"],
        "webhook_id": hook["id"],
        "delivery_id": delivery_id,
        "identity_id": identities[0]["id"],
        "email": f"{name}@example.org",
        "speaker": "S1",
        "name": "tiny",
    }
    shown = {
        ids[k]
        for k in (
            "workspace_id",
            "job_id",
            "file_id",
            "upload_id",
            "share_id",
            "key_id",
            "user_id",
            "webhook_id",
            "delivery_id",
        )
    }
    secrets = shown | {f"words of {name}", f"{name}s-talk", ids["email"], link["token"], hook["secret"]}
    return Seed(person, ids, media, opened["url"], page["next_cursor"], old["key"], key["key"], secrets)


async def _made(client: httpx2.AsyncClient, path: str, **body: object) -> dict[str, str]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


async def _delivered(app: RunningApp, workspace_id: str, webhook_id: str) -> str:
    """The row of something that was sent; nothing is."""
    delivery_id = uuid4()
    async with app.container.database.system() as session:
        session.add(
            Delivery(
                id=delivery_id,
                workspace_id=UUID(workspace_id),
                endpoint_id=UUID(webhook_id),
                event_id=uuid4(),
                type="webhook.test",
                payload="{}",
                state=DeliveryState.DELIVERED,
            )
        )
    return str(delivery_id)


async def add_member(app: RunningApp, workspace_id: str, name: str, role: str) -> Person:
    """An account that is also a member of this workspace."""
    async with app.new_client() as client:
        person = await register(client, f"{name}@example.org", name=name)
    async with app.container.database.system() as session:
        session.add(Membership(workspace_id=UUID(workspace_id), user_id=UUID(person.id), role=role))
    return person


def missing(ids: dict[str, str]) -> dict[str, str]:
    """The same with ids of nothing."""
    nothing = {"token": "x" * 43, "email": ids["email"], "speaker": "S1", "name": "tiny"}
    return {key: nothing.get(key) or str(uuid4()) for key in ids}


async def fingerprint(database: Database) -> dict[str, str]:
    """Number of rows and a hash of their contents, by table; `NOTES` and `CLOCKWORK` left out."""
    found = {}
    async with database.system(read_only=True) as session:
        for table in Base.metadata.sorted_tables:
            if table.name in CLOCKWORK:
                continue
            columns = [column for column in table.columns if column.name not in NOTES]
            rows = (await session.execute(sa.select(*columns))).all()
            lines = sorted(repr(tuple(row)) for row in rows)
            found[table.name] = f"{len(lines)} {hashlib.sha256(repr(lines).encode()).hexdigest()[:16]}"
    return found


async def settle(app: RunningApp) -> dict[str, str]:
    """The fingerprint once the background has done what the seeds left to it, and works no more."""
    container = app.container
    async with asyncio.timeout(300):
        while await _work_is_left(container.database):  # noqa: ASYNC110 (rows tell, nobody rings)
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)
    await container.renditions.stop()
    for worker in container._workers:
        await worker.stop()
    await note_reads(app)
    return await fingerprint(container.database)


async def note_reads(app: RunningApp) -> None:
    """Have written what was noted in memory: a read that should not have been shows in the audit log."""
    await app.container.access_log.flush()


async def _work_is_left(database: Database) -> bool:
    async with database.system(read_only=True) as session:
        renditions = await session.scalar(
            sa.select(sa.func.count()).where(MediaFile.rendition_state == RenditionState.PENDING)
        )
        texts = await session.scalar(sa.select(sa.func.count()).where(Transcript.json_key.is_(None)))
    return bool(renditions or texts)
