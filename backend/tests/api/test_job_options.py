"""What may stand in the options of a job: text that every database can hold, in one line, without contradictions."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.identity import Person, register

NUL = "a\0b"


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


async def transcribe(
    app: RunningApp, person: Person, fields: dict[str, Any], *, files: list[Any] | None = None
) -> Any:
    parts = files or [("file", ("a.txt", b"One. Two."))]
    return await app.client.post("/api/transcribe", files=parts, data=fields, headers=person.bearer)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"vocabulary": [NUL]}, "vocabulary.0"),
        ({"vocabulary": ["a\x07b"]}, "vocabulary.0"),
        ({"vocabulary": ["x" * 61]}, "vocabulary.0"),
        ({"prompt": NUL}, "prompt"),
        ({"speakers": True}, "speakers"),
        ({"speakers": 5, "max_speakers": 2}, "max_speakers"),
        ({"speakers": 33}, "speakers"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_options_that_do_not_fit_are_named(app: RunningApp, body: dict[str, Any], field: str) -> None:
    ada = await register(app.client)
    answer = await app.client.post("/api/jobs", json={"file_id": str(uuid4())} | body, headers=ada.bearer)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


async def test_no_text_field_takes_what_a_database_cannot_hold(app: RunningApp) -> None:
    ada = await register(app.client)
    job_id = (await transcribe(app, ada, {})).json()["job_id"]
    settings = f"/api/workspaces/{ada.workspace_id}/settings"
    answers = [
        await app.client.patch(settings, json={"vocabulary": [NUL]}, headers=ada.bearer),
        await app.client.patch(settings, json={"prompt": NUL}, headers=ada.bearer),
        await app.client.patch(f"/api/jobs/{job_id}/speakers/left", json={"name": NUL}, headers=ada.bearer),
        await app.client.get("/api/jobs", params={"q": NUL}, headers=ada.bearer),
        await transcribe(app, ada, {"prompt": NUL}),
    ]
    assert [answer.status_code for answer in answers] == [422] * 5


async def test_terms_of_a_form_come_in_one_field_or_several_and_in_one_line(app: RunningApp) -> None:
    ada = await register(app.client)
    answer = await transcribe(app, ada, {"vocabulary": ["Ada, Grace\n Hopper", "Linus"]})
    assert answer.status_code == 202, answer.text
    job = (await app.client.get(f"/api/jobs/{answer.json()['job_id']}", headers=ada.bearer)).json()
    assert job["vocabulary"] == ["Ada", "Grace Hopper", "Linus"]


async def test_a_second_recording_in_one_call_is_refused(app: RunningApp) -> None:
    ada = await register(app.client)
    files = [("file", ("a.txt", b"One.")), ("file", ("b.txt", b"Two."))]
    answer = await transcribe(app, ada, {}, files=files)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "file")
    assert (await app.client.get("/api/files", headers=ada.bearer)).json()["items"] == []
