"""Limits of a workspace: set aside before the work, settled after it, refused in a sentence."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.clock import new_id
from app.core.errors import QuotaExceededError
from app.models import UsageRecord, UsageState, Workspace
from app.services.identity.quotas import MINUTE_MS, reserve_minutes, settle_minutes
from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.identity import Person, register

TALK = ("talk.txt", ("word " * 400).encode())


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


async def limit(app: RunningApp, admin: Person, workspace_id: str, **quotas: int | None) -> None:
    answer = await app.client.patch(
        f"/api/admin/workspaces/{workspace_id}/quotas", json=quotas, headers=admin.bearer
    )
    assert answer.status_code == 200, answer.text


async def usage(app: RunningApp, person: Person) -> dict[str, Any]:
    answer = await app.client.get(f"/api/workspaces/{person.workspace_id}/usage", headers=person.bearer)
    found: dict[str, Any] = answer.json()
    return found


async def transcribe(app: RunningApp, person: Person) -> Any:
    return await app.client.post("/api/transcribe", files={"file": TALK}, headers=person.bearer)


async def end_of(app: RunningApp, person: Person, job_id: str) -> dict[str, Any]:
    for _ in range(200):
        job: dict[str, Any] = (await app.client.get(f"/api/jobs/{job_id}", headers=person.bearer)).json()
        if job["status"] not in ("pending", "processing"):
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)


async def test_minutes_are_settled_to_what_the_recording_has(app: RunningApp) -> None:
    ada = await register(app.client)
    job = await end_of(app, ada, (await transcribe(app, ada)).json()["job_id"])
    found = await usage(app, ada)
    assert found["minutes"]["used"] == round(job["duration_ms"] / MINUTE_MS, 2) > 0
    assert (found["minutes"]["reserved"], found["minutes"]["limit"]) == (0, None)
    assert found["jobs"] == 1
    assert found["by_day"][0]["minutes"] == found["minutes"]["used"]
    assert found["storage_bytes"]["used"] == len(TALK[1])
    assert found["members"] == {"count": 1, "limit": None}


async def test_nothing_left_is_refused_before_the_work(app: RunningApp) -> None:
    ada = await register(app.client)
    await limit(app, ada, ada.workspace_id, minutes=0)
    answer = await transcribe(app, ada)
    assert answer.status_code == 402, answer.text
    assert (answer.json()["error"]["code"], answer.json()["error"]["field"]) == ("quota_exceeded", "minutes")
    assert (await app.client.get("/api/files", headers=ada.bearer)).json()["items"] == []
    await limit(app, ada, ada.workspace_id, minutes=None)
    assert (await transcribe(app, ada)).status_code == 202


async def test_a_recording_that_is_longer_than_what_is_left_ends_with_a_sentence(app: RunningApp) -> None:
    ada = await register(app.client)
    await limit(app, ada, ada.workspace_id, minutes=1)
    job = await end_of(app, ada, (await transcribe(app, ada)).json()["job_id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "quota_exceeded")
    assert (await usage(app, ada))["minutes"] == {"used": 0, "reserved": 0, "limit": 1}


@pytest.mark.parametrize(
    ("used_ms", "asked_ms", "said"),
    [
        (
            181_000,
            60_400,
            "0:59 of its 4 minutes of this month are left, and this recording has at least 1:01.",
        ),
        (
            60_000,
            180_001,
            "3:00 of its 4 minutes of this month are left, and this recording has at least 3:01.",
        ),
        (239_500, 60_000, "the 4 minutes of this month are used up, and this recording has at least 1:00."),
        (240_000, 0, "the 4 minutes of this month are used up."),
    ],
)
async def test_the_sentence_of_a_quota_does_not_contradict_itself(
    app: RunningApp, used_ms: int, asked_ms: int, said: str
) -> None:
    ada = await register(app.client)
    workspace_id = UUID(ada.workspace_id)
    await limit(app, ada, ada.workspace_id, minutes=4)
    async with app.container.database.tenant(workspace_id) as session:
        await reserve_minutes(session, workspace_id, job_id=new_id(), run=1, user_id=None, audio_ms=used_ms)
    async with app.container.database.tenant(workspace_id) as session:
        with pytest.raises(QuotaExceededError) as refused:
            await reserve_minutes(
                session, workspace_id, job_id=new_id(), run=1, user_id=None, audio_ms=asked_ms
            )
    assert said in refused.value.message


async def test_two_jobs_cannot_take_the_same_last_minute(app: RunningApp) -> None:
    ada = await register(app.client)
    workspace_id = UUID(ada.workspace_id)
    await limit(app, ada, ada.workspace_id, minutes=5)

    async def reserve() -> bool:
        try:
            async with app.container.database.tenant(workspace_id) as session:
                await reserve_minutes(
                    session, workspace_id, job_id=new_id(), run=1, user_id=None, audio_ms=3 * MINUTE_MS
                )
        except QuotaExceededError:
            return False
        return True

    assert sorted(await asyncio.gather(*(reserve() for _ in range(6)))) == [False] * 5 + [True]


async def test_what_is_set_aside_is_given_back_or_settled_once(app: RunningApp) -> None:
    ada = await register(app.client)
    workspace_id, job_id = UUID(ada.workspace_id), new_id()
    database = app.container.database
    for audio_ms in (MINUTE_MS, 4 * MINUTE_MS, 2 * MINUTE_MS):  # never less than before
        async with database.tenant(workspace_id) as session:
            await reserve_minutes(
                session, workspace_id, job_id=job_id, run=1, user_id=None, audio_ms=audio_ms
            )
    assert (await usage(app, ada))["minutes"]["reserved"] == 4
    async with database.tenant(workspace_id) as session:  # the plan changed: another run
        await reserve_minutes(session, workspace_id, job_id=job_id, run=2, user_id=None, audio_ms=MINUTE_MS)
    assert (await usage(app, ada))["minutes"]["reserved"] == 1
    for _ in range(2):
        async with database.tenant(workspace_id) as session:
            await settle_minutes(session, job_id=job_id, audio_ms=3 * MINUTE_MS)
    assert (await usage(app, ada))["minutes"] == {"used": 3, "reserved": 0, "limit": None}
    async with database.system(read_only=True) as session:
        states = (
            (await session.execute(sa.select(UsageRecord.state).order_by(UsageRecord.run))).scalars().all()
        )
    assert states == [UsageState.RELEASED, UsageState.SETTLED]


async def test_storage_counts_what_was_announced(app: RunningApp) -> None:
    ada = await register(app.client)
    await limit(app, ada, ada.workspace_id, storage_bytes=1000)
    first = await app.client.post(
        "/api/files/presign", json={"filename": "a.mp3", "size": 700}, headers=ada.bearer
    )
    assert first.status_code == 201
    over = await app.client.post(
        "/api/files/presign", json={"filename": "b.mp3", "size": 400}, headers=ada.bearer
    )
    assert (over.status_code, over.json()["error"]["field"]) == (402, "storage_bytes")
    streamed = await transcribe(app, ada)
    assert (streamed.status_code, streamed.json()["error"]["field"]) == (402, "storage_bytes")
    upload_id = first.json()["upload_id"]
    await app.client.delete(f"/api/files/uploads/{upload_id}", headers=ada.bearer)
    again = await app.client.post(
        "/api/files/presign", json={"filename": "b.mp3", "size": 400}, headers=ada.bearer
    )
    assert again.status_code == 201


async def test_members_have_a_limit_too(app: RunningApp) -> None:
    ada = await register(app.client)
    await limit(app, ada, ada.workspace_id, members=2)
    path = f"/api/workspaces/{ada.workspace_id}/invitations"
    first = await app.client.post(path, json={"email": "b@example.org"}, headers=ada.bearer)
    assert first.status_code == 201
    second = await app.client.post(path, json={"email": "c@example.org"}, headers=ada.bearer)
    assert (second.status_code, second.json()["error"]["field"]) == (402, "members")


async def test_a_workspace_at_its_limit_of_parallel_jobs_waits_and_others_do_not(app: RunningApp) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    await limit(app, ada, ada.workspace_id, parallel_jobs=0)
    waiting = (await transcribe(app, ada)).json()["job_id"]
    await end_of(app, bob, (await transcribe(app, bob)).json()["job_id"])
    job = (await app.client.get(f"/api/jobs/{waiting}", headers=ada.bearer)).json()
    assert job["status"] == "pending"
    await limit(app, ada, ada.workspace_id, parallel_jobs=1)
    app.container.dispatcher.ring()
    assert (await end_of(app, ada, waiting))["status"] == "completed"


async def test_row_56_an_administrator_sees_figures_and_no_words(app: RunningApp) -> None:
    admin, bob = await register(app.client), await register(app.client, "bob@example.org")
    job_id = (await transcribe(app, bob)).json()["job_id"]
    await end_of(app, bob, job_id)
    listed = (await app.client.get("/api/admin/workspaces", headers=admin.bearer)).json()["items"]
    row = next(one for one in listed if one["id"] == bob.workspace_id)
    assert (row["owner_email"], row["members"]) == ("bob@example.org", 1)
    assert row["storage_bytes"] == len(TALK[1])
    headers = admin.bearer | {"X-Workspace-Id": bob.workspace_id}
    for path in (f"/api/jobs/{job_id}", f"/api/jobs/{job_id}/result"):
        assert (await app.client.get(path, headers=headers)).status_code == 404
        assert (await app.client.get(path, headers=admin.bearer)).status_code == 404
    missing = await app.client.patch(
        f"/api/admin/workspaces/{new_id()}/quotas", json={"minutes": 1}, headers=admin.bearer
    )
    assert missing.status_code == 404
    async with app.container.database.system(read_only=True) as session:
        assert await session.get(Workspace, UUID(bob.workspace_id)) is not None
