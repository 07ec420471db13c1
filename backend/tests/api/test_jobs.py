"""Jobs through HTTP, with the stub engine: a text file is its own transcript, so the whole path runs in milliseconds."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.fixtures.app import MakeApp, RunningApp, sign_up

TEXT = "First line of the talk.\n\nAnd a second one, quite a bit longer than the first.\n"


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    running = await make_app(database_url=database_url, transcription_backend="stub")
    await sign_up(running.client)
    return running


async def submit(
    client: httpx2.AsyncClient, text: str = TEXT, name: str = "talk.txt", **fields: str
) -> httpx2.Response:
    return await client.post("/api/transcribe", files={"file": (name, text.encode())}, data=fields)


async def wait_final(client: httpx2.AsyncClient, job_id: str) -> dict[str, Any]:
    async with asyncio.timeout(120):
        while True:
            job = (await client.get(f"/api/jobs/{job_id}")).json()
            if job["status"] in ("completed", "failed", "cancelled"):
                return job
            await asyncio.sleep(0.03)


async def finished(client: httpx2.AsyncClient, **kw: Any) -> dict[str, Any]:
    answer = await submit(client, **kw)
    assert answer.status_code == 202, answer.text
    return await wait_final(client, answer.json()["job_id"])


async def test_a_recording_in_one_call_becomes_a_transcript(app: RunningApp) -> None:
    answer = await submit(app.client)
    assert answer.status_code == 202
    accepted = answer.json()
    assert accepted["filename"] == "talk.txt"
    assert accepted["status"] == "pending"
    job = await wait_final(app.client, accepted["job_id"])
    assert job["status"] == "completed", job
    assert job["progress"] == 1
    assert job["attempt"] == 1
    assert job["engine"] == "stub"
    assert job["transcript_id"] is not None
    assert job["windows"] == {"planned": 1, "committed": 1, "executed": 1}
    assert job["real_time_factor"] is not None
    result = (await app.client.get(f"/api/jobs/{job['id']}/result")).json()
    assert result["complete"] is True
    assert "quite a bit longer" in result["text"]
    assert result["text"] == " ".join(s["text"] for s in result["segments"])
    starts = [s["start_ms"] for s in result["segments"]]
    assert starts == sorted(starts)


async def test_every_key_of_the_contract_is_there_from_the_start(app: RunningApp) -> None:
    accepted = (await submit(app.client)).json()
    job = (await app.client.get(f"/api/jobs/{accepted['job_id']}")).json()
    keys = (
        "id file_id filename status stage progress eta_seconds language mode engine model low_accuracy "
        "cancel_requested attempt windows warnings duration_ms processing_time_ms real_time_factor created_at "
        "started_at finished_at"
    )
    assert set(keys.split()) <= set(job)
    assert job["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("extension", "kind", "starts"),
    [
        ("txt", "text/plain", "First line"),
        ("srt", "application/x-subrip", "1\n00:00:00,000 --> "),
        ("vtt", "text/vtt", "WEBVTT\n\n00:00:00.000 --> "),
        ("json", "application/json", "{"),
    ],
)
async def test_downloads_have_a_safe_name_and_type(
    app: RunningApp, extension: str, kind: str, starts: str
) -> None:
    job = await finished(app.client, name='Gespräch "7" über Тест.txt')
    answer = await app.client.get(f"/api/jobs/{job['id']}/download", params={"format": extension})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.text.startswith(starts)
    disposition = answer.headers["content-disposition"]
    assert disposition.isascii()
    assert disposition.startswith("attachment;")
    assert f".{extension}" in disposition


async def test_the_json_download_is_the_result(app: RunningApp) -> None:
    job = await finished(app.client)
    result = (await app.client.get(f"/api/jobs/{job['id']}/result")).json()
    assert (await app.client.get(f"/api/jobs/{job['id']}/download?format=json")).json() == result


async def test_before_the_end_there_is_only_a_partial_result(make_app: MakeApp, database_url: str) -> None:
    running = await make_app(database_url=database_url, transcription_backend="whisper_cpp")
    await sign_up(running.client)
    accepted = (await submit(running.client)).json()
    base = f"/api/jobs/{accepted['job_id']}"
    async with asyncio.timeout(10):
        while (job := (await running.client.get(base)).json())["wait_reason"] is None:  # noqa: ASYNC110 (HTTP)
            await asyncio.sleep(0.03)
    assert (job["status"], job["wait_reason"]) == ("pending", "model_missing")
    for path in ("/result", "/download?format=txt"):
        answer = await running.client.get(base + path)
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "job_not_completed"
    partial = (await running.client.get(f"{base}/result?partial=true")).json()
    assert partial["complete"] is False
    assert partial["segments"] == []
    assert (await running.client.post(f"{base}/retry")).json()["error"]["code"] == "invalid_state"
    cancelled = await running.client.post(f"{base}/cancel")
    assert cancelled.status_code == 200
    assert (await wait_final(running.client, accepted["job_id"]))["status"] == "cancelled"
    again = await running.client.post(f"{base}/cancel")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "invalid_state")
    retried = await running.client.post(f"{base}/retry", json={"engine": "stub"})
    assert retried.status_code == 200
    job = await wait_final(running.client, accepted["job_id"])
    assert (job["status"], job["engine"], job["attempt"]) == ("completed", "stub", 2)
    assert job["id"] == accepted["job_id"]


async def test_a_completed_job_can_run_again_and_gets_a_new_transcript(app: RunningApp) -> None:
    job = await finished(app.client)
    answer = await app.client.post(f"/api/jobs/{job['id']}/retry")
    assert answer.status_code == 200
    assert answer.json()["status"] == "pending"
    again = await wait_final(app.client, job["id"])
    assert again["status"] == "completed"
    assert again["attempt"] == 2
    assert again["transcript_id"] != job["transcript_id"]
    result = (await app.client.get(f"/api/jobs/{job['id']}/result")).json()
    assert result["complete"] is True


async def test_the_list_is_newest_first_and_pages_by_cursor(app: RunningApp) -> None:
    names = [f"part {n}.txt" for n in range(5)]
    for name in names:
        await finished(app.client, name=name)
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await app.client.get("/api/jobs", params=params)).json()
        seen += [job["filename"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names[::-1]
    assert (await app.client.get("/api/jobs", params={"status": "failed"})).json()["items"] == []
    for several in ({"status": "failed,completed"}, {"status": ["failed", "completed"]}):
        assert len((await app.client.get("/api/jobs", params=several)).json()["items"]) == 5
    assert (await app.client.get("/api/jobs", params={"status": "failed, cancelled"})).json()["items"] == []
    found = (await app.client.get("/api/jobs", params={"q": "PART 3"})).json()["items"]
    assert [job["filename"] for job in found] == ["part 3.txt"]
    assert (await app.client.get("/api/jobs", params={"q": "%"})).json()["items"] == []


@pytest.mark.parametrize(
    ("params", "field"),
    [({"cursor": "nonsense"}, "cursor"), ({"limit": 0}, "query.limit"), ({"status": "odd"}, "query.status")],
)
async def test_bad_list_parameters_are_named(app: RunningApp, params: dict[str, Any], field: str) -> None:
    answer = await app.client.get("/api/jobs", params=params)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


async def test_deleting_takes_the_recording_with_the_last_job_that_uses_it(app: RunningApp) -> None:
    first = await finished(app.client)
    second = (await app.client.post("/api/jobs", json={"file_id": first["file_id"]})).json()
    await wait_final(app.client, second["id"])
    assert (await app.client.delete(f"/api/jobs/{first['id']}")).status_code == 204
    assert (await app.client.get(f"/api/jobs/{first['id']}")).status_code == 404
    assert (await app.client.get(f"/api/files/{first['file_id']}/url")).status_code == 200
    assert (await app.client.delete(f"/api/jobs/{second['id']}")).status_code == 204
    assert (await app.client.get(f"/api/files/{first['file_id']}/url")).status_code == 404
    assert (await app.client.delete(f"/api/jobs/{second['id']}")).status_code == 404


async def test_other_tenants_see_nothing(app: RunningApp) -> None:
    job = await finished(app.client)
    async with app.new_client() as stranger:
        await sign_up(stranger, "eve@example.org")
        missing = (await stranger.get(f"/api/jobs/{uuid4()}")).json()["error"]
        for method, path in [
            ("GET", ""),
            ("DELETE", ""),
            ("POST", "/cancel"),
            ("POST", "/retry"),
            ("POST", "/gaps/retry"),
            ("POST", "/speakers/retry"),
            ("PATCH", "/speakers/S1"),
            ("GET", "/result"),
            ("GET", "/result?partial=true"),
            ("GET", "/download"),
            ("GET", "/events"),
        ]:
            body = {"name": "Eve"} if method == "PATCH" else None
            answer = await stranger.request(method, f"/api/jobs/{job['id']}{path}", json=body)
            assert answer.status_code == 404, (method, path)
            error = answer.json()["error"]
            assert (error["code"], error["message"]) == (missing["code"], missing["message"])
        assert (await stranger.get("/api/jobs")).json()["items"] == []
        stolen = await stranger.post("/api/jobs", json={"file_id": job["file_id"]})
        assert stolen.status_code == 404
    assert (await app.client.get(f"/api/jobs/{job['id']}")).json()["status"] == "completed"


async def test_without_a_token_everything_is_401(app: RunningApp) -> None:
    async with app.new_client() as nobody:
        for method, path in [
            ("GET", "/api/jobs"),
            ("POST", "/api/jobs"),
            ("GET", f"/api/jobs/{uuid4()}"),
            ("GET", "/api/jobs/events"),
            ("POST", "/api/transcribe"),
        ]:
            answer = await nobody.request(method, path)
            assert answer.status_code == 401, path
            assert answer.json()["error"]["code"] == "unauthenticated"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "karaoke"}, "mode"),
        ({"vad": "maybe"}, "vad"),
        ({"language": "english"}, "language"),
        ({"engine": "siri"}, "engine"),
        ({"surprise": "1"}, "surprise"),
    ],
)
async def test_bad_options_are_named_in_both_forms(app: RunningApp, body: dict[str, str], field: str) -> None:
    job = await finished(app.client)
    as_json = await app.client.post("/api/jobs", json={"file_id": job["file_id"], **body})
    as_form = await submit(app.client, **body)
    for answer in (as_json, as_form):
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["code"] == "validation_error"
        assert answer.json()["error"]["field"].endswith(field)
        assert answer.json()["error"]["message"].startswith((f"{field} must be ", f"{field} is no field"))
    assert len((await app.client.get("/api/files")).json()["items"]) == 1


async def test_fields_may_stand_behind_the_file(app: RunningApp) -> None:
    boundary = "b0undary"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello there\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="language"\r\n\r\nde\r\n--{boundary}--\r\n'
    )
    kind = f"multipart/form-data; boundary={boundary}"
    answer = await app.client.post("/api/transcribe", content=body.encode(), headers={"Content-Type": kind})
    assert answer.status_code == 202, answer.text
    job = (await app.client.get(f"/api/jobs/{answer.json()['job_id']}")).json()
    assert job["language"] == "de"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{}", "application/json"),
        (b"", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="language"\r\n\r\nde\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhel',
            "multipart/form-data; boundary=x",
        ),
        (b"garbage that is no form", "multipart/form-data; boundary=x"),
    ],
)
async def test_what_is_not_a_form_with_a_file_is_refused(app: RunningApp, content: bytes, kind: str) -> None:
    answer = await app.client.post("/api/transcribe", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 422, answer.text
    assert (await app.client.get("/api/files")).json()["items"] == []


async def test_too_large_and_empty_uploads_are_refused(make_app: MakeApp, database_url: str) -> None:
    running = await make_app(database_url=database_url, transcription_backend="stub", max_file_bytes=1000)
    await sign_up(running.client)
    large = await submit(running.client, text="x" * 1001)
    assert (large.status_code, large.json()["error"]["code"]) == (413, "file_too_large")
    empty = await submit(running.client, text="")
    assert (empty.status_code, empty.json()["error"]["code"]) == (422, "file_empty")
    assert (await submit(running.client, text="x" * 1000)).status_code == 202


async def test_an_earlier_transcript_stays_readable_until_a_new_one_is_there(
    make_app: MakeApp, database_url: str
) -> None:
    running = await make_app(database_url=database_url, transcription_backend="stub")
    client = running.client
    await sign_up(client)
    job = await finished(client)
    base = f"/api/jobs/{job['id']}"
    text = (await client.get(f"{base}/result")).json()["text"]
    again = await client.post(f"{base}/retry", json={"model": "tiny"})
    assert again.status_code == 200
    async with asyncio.timeout(10):
        while (await client.get(base)).json()["wait_reason"] is None:  # noqa: ASYNC110 (HTTP)
            await asyncio.sleep(0.03)
    assert (await client.get(base)).json()["wait_reason"] == "model_missing"
    assert (await client.get(f"{base}/result")).status_code == 409
    partial = (await client.get(f"{base}/result?partial=true")).json()
    assert (partial["text"], partial["complete"], partial["previous"]) == (text, False, True)
    assert (await client.get(f"{base}/download")).status_code == 409
    file = await client.get(f"{base}/download", params={"format": "txt", "partial": "true"})
    assert (file.status_code, text in file.text) == (200, True)
    as_json = await client.get(f"{base}/download", params={"format": "json", "partial": "true"})
    assert as_json.json() == partial
    await client.post(f"{base}/cancel")
    assert (await wait_final(client, job["id"]))["status"] == "cancelled"
    kept = (await client.get(f"{base}/result")).json()
    assert (kept["text"], kept["complete"], kept["previous"]) == (text, True, True)
    assert (await client.get(f"{base}/download")).status_code == 200


async def test_an_unknown_language_is_refused(app: RunningApp) -> None:
    answer = await submit(app.client, language="xx")
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "language")


async def test_a_job_without_gaps_has_none_to_repair(app: RunningApp) -> None:
    job = await finished(app.client)
    path = f"/api/jobs/{job['id']}/gaps/retry"
    for body in (None, {"start_ms": 0, "end_ms": 10}):
        answer = await app.client.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "invalid_state")
    answer = await app.client.post(path, json={"start_ms": -1})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "start_ms")


async def test_speakers_are_said_to_be_missing_and_asked_for_again(app: RunningApp) -> None:
    job = await finished(app.client, mode="dialogue")
    assert job["speaker_state"] == "unavailable"
    assert job["speaker_reason"]
    assert [w["code"] for w in job["warnings"]] == ["no_speakers"]
    base = f"/api/jobs/{job['id']}"
    before = (await app.client.get(f"{base}/result")).json()
    assert before["speakers"] == []
    answer = await app.client.post(f"{base}/speakers/retry", json={"speakers": 2})
    assert (answer.status_code, answer.json()["status"], answer.json()["speakers"]) == (200, "pending", 2)
    again = await wait_final(app.client, job["id"])
    assert (again["status"], again["speaker_state"]) == ("completed", "unavailable")
    assert again["windows"] == job["windows"]
    assert (await app.client.get(f"{base}/result")).json()["segments"] == before["segments"]
    answer = await app.client.patch(f"{base}/speakers/S1", json={"name": "Ada"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    answer = await app.client.patch(f"{base}/speakers/S1", json={"name": "x" * 101})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "name")
