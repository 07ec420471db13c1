"""Recordings and jobs go when their workspace says so: exactly those, once, and the text outlives its recording."""

from __future__ import annotations

import asyncio
from contextvars import Context
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.models import Job, MediaFile, Transcript, Upload
from app.services.jobs.retention import Retention
from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.identity import Person, register


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


async def finished(app: RunningApp, person: Person, words: str) -> dict[str, Any]:
    """A completed job with this text."""
    file = ("talk.txt", words.encode())
    sent = await app.client.post("/api/transcribe", files={"file": file}, headers=person.bearer)
    for _ in range(400):
        answer = await app.client.get(f"/api/jobs/{sent.json()['job_id']}", headers=person.bearer)
        job: dict[str, Any] = answer.json()
        if job["status"] == "completed":
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)


async def age(app: RunningApp, job: dict[str, Any], days: float) -> None:
    """The job, and its recording, as if they were made so long ago."""
    then = utcnow() - timedelta(days=days)
    async with app.container.database.system() as session:
        await session.execute(
            sa.update(Job).where(Job.id == UUID(job["id"])).values(finished_at=then, created_at=then)
        )
        await session.execute(
            sa.update(MediaFile).where(MediaFile.id == UUID(job["file_id"])).values(created_at=then)
        )


async def keep(app: RunningApp, person: Person, **days: int | None) -> None:
    answer = await app.client.patch(
        f"/api/workspaces/{person.workspace_id}/settings", json=days, headers=person.bearer
    )
    assert answer.status_code == 200, answer.text


async def expire(app: RunningApp) -> int:
    """One round, as the maintenance runs it: nobody's request."""
    container = app.container
    step = Retention(container.database, container.bus, container.jobs, container.files)
    return await asyncio.create_task(step.run_once(), context=Context())


def objects(app: RunningApp, job: dict[str, Any], workspace_id: str) -> list[str]:
    folder = app.settings.storage_dir / "objects" / "w" / workspace_id / "f" / job["file_id"]
    return [path.name for path in folder.glob("*")]


async def test_a_recording_goes_and_its_text_stays(app: RunningApp) -> None:
    ada, bob = await register(app.client), await register(app.client, "bob@example.org")
    old, new = await finished(app, ada, "Old words."), await finished(app, ada, "New words.")
    other = await finished(app, bob, "Other words.")
    await age(app, old, 30.1)
    await age(app, new, 29.9)
    await age(app, other, 300)
    await keep(app, ada, media_days=30)
    assert objects(app, old, ada.workspace_id)

    assert await expire(app) == 1
    assert await expire(app) == 0

    job = (await app.client.get(f"/api/jobs/{old['id']}", headers=ada.bearer)).json()
    assert (job["file_id"], job["status"]) == (None, "completed")
    result = await app.client.get(f"/api/jobs/{old['id']}/result", headers=ada.bearer)
    assert result.json()["text"] == "Old words."
    text = await app.client.get(f"/api/jobs/{old['id']}/download", headers=ada.bearer)
    assert "Old words." in text.text
    gone = await app.client.get(f"/api/files/{old['file_id']}", headers=ada.bearer)
    assert gone.status_code == 404
    assert objects(app, old, ada.workspace_id) == []
    for kept, person in ((new, ada), (other, bob)):
        answer = await app.client.get(f"/api/files/{kept['file_id']}", headers=person.bearer)
        assert answer.status_code == 200
    for path in ("retry", "speakers/retry"):
        refused = await app.client.post(f"/api/jobs/{old['id']}/{path}", headers=ada.bearer)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")
    async with app.container.database.system(read_only=True) as session:
        keys = await session.execute(
            sa.select(Transcript.json_key).where(Transcript.job_id == UUID(old["id"]))
        )
        assert keys.scalars().all() == [None]


async def test_a_whole_job_goes_with_what_only_it_used(app: RunningApp) -> None:
    ada = await register(app.client)
    old, new = await finished(app, ada, "Old words."), await finished(app, ada, "New words.")
    await age(app, old, 8)
    await keep(app, ada, transcript_days=7)

    assert await expire(app) == 1
    assert await expire(app) == 0

    listed = (await app.client.get("/api/jobs", headers=ada.bearer)).json()["items"]
    assert [job["id"] for job in listed] == [new["id"]]
    files = (await app.client.get("/api/files", headers=ada.bearer)).json()["items"]
    assert [file["id"] for file in files] == [new["file_id"]]
    assert objects(app, old, ada.workspace_id) == []
    log = await app.client.get(f"/api/workspaces/{ada.workspace_id}/audit", headers=ada.bearer)
    expired = [entry for entry in log.json()["items"] if entry["action"] == "job.expired"]
    assert [(entry["target_id"], entry["user"]) for entry in expired] == [(old["id"], None)]


async def test_what_waits_is_not_old_and_null_keeps_for_good(app: RunningApp) -> None:
    ada = await register(app.client)
    job = await finished(app, ada, "Words.")
    await age(app, job, 400)
    await keep(app, ada, media_days=1, transcript_days=1)
    async with app.container.database.system() as session:
        far = utcnow() + timedelta(hours=1)
        await session.execute(sa.update(Job).values(status="pending", finished_at=None, run_after=far))
    assert await expire(app) == 0
    async with app.container.database.system() as session:
        await session.execute(sa.update(Job).values(status="failed", finished_at=utcnow()))
    await keep(app, ada, media_days=None, transcript_days=None)
    assert await expire(app) == 0


async def test_rounds_side_by_side_and_a_crash_before_the_bytes(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row goes first; what it left in the store is remembered and goes with the janitor's next round."""
    ada = await register(app.client)
    jobs = [await finished(app, ada, f"Words {number}.") for number in range(3)]
    for job in jobs:
        await age(app, job, 3)
    await keep(app, ada, media_days=2)

    async def crash(*_: object) -> None:
        """The process ends after the commit."""

    monkeypatch.setattr("app.services.media.files.remove_bytes", crash)
    counts = await asyncio.gather(*(expire(app) for _ in range(3)))
    assert sum(counts) == 3
    assert all(objects(app, job, ada.workspace_id) for job in jobs)

    await app.container.maintenance.run_once()

    assert not any(objects(app, job, ada.workspace_id) for job in jobs)
    async with app.container.database.system(read_only=True) as session:
        assert (await session.execute(sa.select(Upload))).scalars().all() == []
        assert (await session.execute(sa.select(MediaFile))).scalars().all() == []
