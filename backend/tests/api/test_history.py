"""A job's history through HTTP: pages, people, and no other tenant."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa

from app.models import Membership, Role
from tests.api.test_jobs import finished
from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.identity import Person, register

TEXT = "Zanzibar is far away.\n"


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


async def ada_in(app: RunningApp) -> Person:
    person = await register(app.client, "ada@example.org", name="Ada")
    app.client.headers.update(person.bearer)
    return person


async def read(client: httpx2.AsyncClient, job_id: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(f"/api/jobs/{job_id}/history", params=query)
    assert answer.status_code == 200, answer.text
    assert "Zanzibar" not in answer.text
    body: dict[str, Any] = answer.json()
    return body


async def until(client: httpx2.AsyncClient, job_id: str, kind: str, *, times: int = 1) -> None:
    async with asyncio.timeout(30):
        while True:
            kinds = [item["kind"] for item in (await read(client, job_id))["items"]]
            if kinds.count(kind) >= times:
                return
            await asyncio.sleep(0.05)


async def test_it_tells_who_what_and_when_and_pages_by_cursor(app: RunningApp) -> None:
    ada = await ada_in(app)
    job = await finished(app.client, text=TEXT)
    assert (await app.client.post(f"/api/jobs/{job['id']}/retry")).status_code == 200
    await until(app.client, job["id"], "completed", times=2)
    whole = await read(app.client, job["id"])
    kinds = [item["kind"] for item in whole["items"]]
    assert kinds[-1] == "created"
    assert whole["next_cursor"] is None
    assert whole["tries"] == {"attempt": 2, "engine_errors": 0, "engine_crashes": 0, "host_losses": 0}
    times = [item["at"] for item in whole["items"]]
    assert times == sorted(times, reverse=True)
    by_kind = {item["kind"]: item for item in whole["items"]}
    for kind in ("created", "retried"):
        assert by_kind[kind]["by"] == {"id": ada.id, "name": "Ada", "email": "ada@example.org"}
        assert by_kind[kind]["by_api_key"] is False
    assert by_kind["claimed"]["by"] is None
    assert by_kind["engine_chosen"]["engine"] == "stub"
    assert "log_tail" not in by_kind["claimed"]  # only what the kind has
    paged, cursor = [], None
    while True:
        page = await read(app.client, job["id"], limit=3, **({"cursor": cursor} if cursor else {}))
        assert len(page["items"]) <= 3
        paged += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    ids = [item["id"] for item in paged]  # the files of the text may have been written meanwhile
    assert ids[-len(whole["items"]) :] == [item["id"] for item in whole["items"]]
    refused = await app.client.get(f"/api/jobs/{job['id']}/history?cursor=nonsense")
    assert refused.status_code == 422


async def test_viewers_read_it_and_former_members_have_no_name_in_it(app: RunningApp) -> None:
    ada = await ada_in(app)
    async with app.new_client() as client:
        bob = await register(client, "bob@example.org", name="Bob")
    async with app.container.database.system() as session:
        session.add(Membership(workspace_id=UUID(ada.workspace_id), user_id=UUID(bob.id), role=Role.MEMBER))
    there = bob.bearer | {"X-Workspace-Id": ada.workspace_id}
    async with app.new_client() as client:
        client.headers.update(there)
        job = await finished(client, text=TEXT)
    created = (await read(app.client, job["id"]))["items"][-1]
    assert created["by"]["name"] == "Bob"
    async with app.container.database.system() as session:
        await session.execute(
            sa.update(Membership).where(Membership.user_id == UUID(bob.id)).values(role=Role.VIEWER)
        )
    async with app.new_client() as client:
        client.headers.update(there)
        assert (await read(client, job["id"]))["items"]
        async with app.container.database.system() as session:
            await session.execute(
                sa.delete(Membership).where(
                    Membership.user_id == UUID(bob.id), Membership.workspace_id == UUID(ada.workspace_id)
                )
            )
        assert (await client.get(f"/api/jobs/{job['id']}/history")).status_code == 404
    created = (await read(app.client, job["id"]))["items"][-1]
    assert created["by"] == {"id": bob.id, "name": None, "email": None}


async def test_what_a_key_asked_for_says_so(app: RunningApp) -> None:
    ada = await ada_in(app)
    made = await app.client.post(
        f"/api/workspaces/{ada.workspace_id}/api-keys", json={"name": "k", "scopes": ["read", "write"]}
    )
    async with app.new_client() as client:
        client.headers["Authorization"] = f"Bearer {made.json()['key']}"
        job = await finished(client, text=TEXT)
        created = (await read(client, job["id"]))["items"][-1]
    assert (created["by"]["id"], created["by_api_key"]) == (ada.id, True)


async def test_written_files_are_told_without_a_word_to_the_watchers(app: RunningApp) -> None:
    await ada_in(app)
    job = await finished(app.client, text=TEXT)
    await until(app.client, job["id"], "files_written")
    newest = (await read(app.client, job["id"]))["items"][0]
    assert (newest["kind"], newest["formats"]) == ("files_written", ["txt", "json"])
