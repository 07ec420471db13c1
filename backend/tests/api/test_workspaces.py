"""Settings of a workspace: who reads and changes them, and that jobs take their hints from them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from app.models import Membership, Role
from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.identity import Person, register

DEFAULTS = {
    "allow_cloud": True,
    "vocabulary": [],
    "prompt": "",
    "language": "auto",
    "mode": "mono",
    "media_days": None,
    "transcript_days": None,
}


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


def path(person: Person) -> str:
    return f"/api/workspaces/{person.workspace_id}/settings"


async def join(app: RunningApp, person: Person, workspace_id: str, role: Role) -> None:
    async with app.container.database.system() as session:
        session.add(Membership(workspace_id=UUID(workspace_id), user_id=UUID(person.id), role=role))


async def test_an_owner_reads_and_changes_what_is_named(app: RunningApp) -> None:
    ada = await register(app.client)
    assert (await app.client.get(path(ada), headers=ada.bearer)).json() == DEFAULTS
    patch = {"vocabulary": ["Grüß Gott", "Kubernetes", "Kubernetes"], "prompt": " In full sentences. "}
    answer = await app.client.patch(path(ada), json=patch, headers=ada.bearer)
    assert answer.status_code == 200, answer.text
    expected = DEFAULTS | {"vocabulary": ["Grüß Gott", "Kubernetes"], "prompt": "In full sentences."}
    assert answer.json() == expected
    answer = await app.client.patch(path(ada), json={"allow_cloud": False}, headers=ada.bearer)
    assert answer.json() == expected | {"allow_cloud": False}
    assert (await app.client.get(path(ada), headers=ada.bearer)).json() == answer.json()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": "x" * 1001}, "prompt"),
        ({"vocabulary": [""]}, "vocabulary.0"),
        ({"vocabulary": ["x"] * 201}, "vocabulary"),
        ({"name": "mine"}, "name"),
    ],
)
async def test_settings_that_do_not_fit_are_named(app: RunningApp, body: dict[str, Any], field: str) -> None:
    ada = await register(app.client)
    answer = await app.client.patch(path(ada), json=body, headers=ada.bearer)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


@pytest.mark.parametrize(
    ("role", "status"), [(Role.ADMIN, 200), (Role.MEMBER, 403), (Role.VIEWER, 403), (None, 404)]
)
async def test_roles(app: RunningApp, role: Role | None, status: int) -> None:
    ada = await register(app.client)
    bob = await register(app.client, "bob@example.org")
    if role is not None:
        await join(app, bob, ada.workspace_id, role)
    answer = await app.client.get(path(ada), headers=bob.bearer)
    assert answer.status_code == (404 if role is None else 200)
    answer = await app.client.patch(path(ada), json={"prompt": "Bob was here."}, headers=bob.bearer)
    assert answer.status_code == status
    prompt = (await app.client.get(path(ada), headers=ada.bearer)).json()["prompt"]
    assert prompt == ("Bob was here." if status == 200 else "")


async def test_unknown_and_malformed_ids_look_alike(app: RunningApp) -> None:
    ada = await register(app.client)
    for name in (str(uuid4()), "mine"):
        for method in ("GET", "PATCH"):
            answer = await app.client.request(
                method, f"/api/workspaces/{name}/settings", json={}, headers=ada.bearer
            )
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert (await app.client.get(path(ada))).status_code == 401


async def submit(client: httpx2.AsyncClient, person: Person, **fields: str) -> dict[str, Any]:
    answer = await client.post(
        "/api/transcribe", files={"file": ("a.txt", b"Words.")}, data=fields, headers=person.bearer
    )
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = (
        await client.get(f"/api/jobs/{answer.json()['job_id']}", headers=person.bearer)
    ).json()
    return job


async def test_a_job_keeps_the_hints_of_its_workspace_and_its_own(app: RunningApp) -> None:
    ada = await register(app.client)
    bob = await register(app.client, "bob@example.org")
    settings = {"vocabulary": ["Ada Lovelace", "API"], "prompt": "House style."}
    await app.client.patch(path(ada), json=settings, headers=ada.bearer)
    job = await submit(app.client, ada, vocabulary="api, Zuse ,,", prompt="A talk.", translate="true")
    assert job["vocabulary"] == ["Ada Lovelace", "API", "Zuse"]
    assert job["prompt"] == "House style. A talk."
    assert job["translate"] is True
    await app.client.patch(path(ada), json={"vocabulary": [], "prompt": ""}, headers=ada.bearer)
    again = (await app.client.get(f"/api/jobs/{job['id']}", headers=ada.bearer)).json()
    assert again["vocabulary"] == job["vocabulary"]
    other = await submit(app.client, bob, vocabulary="Zuse")
    assert (other["vocabulary"], other["prompt"]) == (["Zuse"], "")


async def test_all_options_go_through_the_form(app: RunningApp) -> None:
    ada = await register(app.client)
    fields = {"mode": "dialogue", "speakers": "2", "max_speakers": "4", "fresh": "true", "language": "mixed"}
    job = await submit(app.client, ada, **fields)
    assert (job["mode"], job["speakers"], job["max_speakers"]) == ("dialogue", 2, 4)
    assert job["requested_language"] == "mixed"
    answer = await app.client.post(
        "/api/transcribe",
        files={"file": ("a.txt", b"Words.")},
        data={"vocabulary": ",".join(["term"] * 101)},
        headers=ada.bearer,
    )
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "vocabulary")
