"""Webhooks through HTTP: who may, what is shown, and events of real jobs at a receiver on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app.models import AuditEntry, IdempotencyKey, Membership, OutboxEvent, Segment, WebhookEndpoint
from app.services.jobs import claims
from app.services.jobs.events import append_end
from app.services.jobs.owner import Owner
from tests.api.test_jobs import finished, wait_final
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.identity import register
from tests.fixtures.receiver import Receiver
from tests.fixtures.webhooks import verify

URL = "https://hooks.example.org/x?token=of-theirs"


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    running = await make_app(
        database_url=database_url, transcription_backend="stub", webhook_private_targets=True
    )
    await sign_up(running.client)
    return running


async def make(app: RunningApp, url: str = URL, **body: Any) -> dict[str, Any]:
    answer = await app.client.post("/api/webhooks", json={"url": url} | body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def log_of(app: RunningApp, webhook_id: str, count: int) -> list[dict[str, Any]]:
    """Once so many deliveries are not pending any more."""
    async with asyncio.timeout(60):
        while True:
            page = (await app.client.get(f"/api/webhooks/{webhook_id}/deliveries")).json()["items"]
            if len([one for one in page if one["state"] != "pending"]) >= count:
                return list(page)
            await asyncio.sleep(0.05)


async def test_a_webhook_is_made_changed_rotated_and_removed(app: RunningApp) -> None:
    made = await make(app, events=["job.failed", "job.completed"], description="CRM")
    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["job.completed", "job.failed"]
    assert (made["enabled"], made["disabled_reason"], made["previous_secret_until"]) == (True, None, None)
    base = f"/api/webhooks/{made['id']}"
    listed = await app.client.get("/api/webhooks")
    assert [one["id"] for one in listed.json()["items"]] == [made["id"]]
    for answer in (listed, await app.client.get(base)):
        assert "whsec_" not in answer.text
    async with app.container.database.system(read_only=True) as session:
        row = (await session.execute(sa.select(WebhookEndpoint))).scalar_one()
    assert made["secret"].removeprefix("whsec_") not in row.secret

    changed = await app.client.patch(base, json={"events": [], "enabled": False})
    assert (changed.json()["events"], changed.json()["enabled"]) == ([], False)
    assert (changed.json()["disabled_reason"], changed.json()["description"]) == ("person", "CRM")
    for path in ("/test", "/recover"):
        refused = await app.client.post(base + path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")
    assert (await app.client.patch(base, json={"enabled": True})).json()["disabled_at"] is None

    rotated = (await app.client.post(f"{base}/rotate")).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_secret_until"] is not None
    assert (await app.client.delete(base)).status_code == 204
    assert (await app.client.get(base)).status_code == 404
    async with app.container.database.system(read_only=True) as session:
        entries = (await session.execute(sa.select(AuditEntry).order_by(AuditEntry.id))).scalars().all()
    hooks = [entry for entry in entries if entry.action.startswith("webhook.")]
    assert [entry.action.removeprefix("webhook.") for entry in hooks] == [
        "created",
        "disabled",
        "changed",
        "changed",
        "secret_rotated",
        "deleted",
    ]
    assert "of-theirs" not in str([entry.detail for entry in hooks])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://example.org"}, "url"),
        ({"url": "http://169.254.169.254/"}, "url"),
        ({"url": ""}, "url"),
        ({}, "url"),
        ({"url": URL, "events": ["job.started"]}, "events.0"),
        ({"url": URL, "events": ["webhook.test"]}, "events.0"),
        ({"url": URL, "description": "x" * 201}, "description"),
        ({"url": URL, "secret": "whsec_mine"}, "secret"),
    ],
)
async def test_what_is_no_webhook(app: RunningApp, body: dict[str, Any], field: str) -> None:
    answer = await app.client.post("/api/webhooks", json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


async def test_row_44_private_addresses_and_plain_http_need_the_operators_word(make_app: MakeApp) -> None:
    app = await make_app()
    await sign_up(app.client)
    made = await make(app)
    for url in ("http://127.0.0.1/", "http://10.0.0.1/", "http://printer.local/"):
        for answer in (
            await app.client.post("/api/webhooks", json={"url": url}),
            await app.client.patch(f"/api/webhooks/{made['id']}", json={"url": url}),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "url_not_allowed")
    assert (await app.client.get("/api/webhooks")).json()["items"] == [
        {name: value for name, value in made.items() if name != "secret"}
    ]


async def test_there_are_at_most_twenty(app: RunningApp) -> None:
    for number in range(20):
        await make(app, f"https://hooks.example.org/{number}")
    answer = await app.client.post("/api/webhooks", json={"url": URL})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


async def test_row_32_members_viewers_and_keys_may_not(app: RunningApp) -> None:
    made = await make(app)
    workspace = (await app.client.get("/api/auth/me")).json()["workspaces"][0]["id"]
    key = await app.client.post(f"/api/workspaces/{workspace}/api-keys", json={"name": "k"})
    callers = [{"Authorization": f"Bearer {key.json()['key']}"}]
    for role in ("member", "viewer"):
        person = await register(app.client, f"{role}@example.org")
        async with app.container.database.system() as session:
            session.add(Membership(workspace_id=UUID(workspace), user_id=UUID(person.id), role=role))
        callers.append(person.bearer | {"X-Workspace-Id": workspace})
    for headers in callers:
        for method, path in (
            ("GET", "/api/webhooks"),
            ("GET", f"/api/webhooks/{made['id']}"),
            ("GET", f"/api/webhooks/{made['id']}/deliveries"),
            ("DELETE", f"/api/webhooks/{made['id']}"),
            ("POST", f"/api/webhooks/{made['id']}/rotate"),
            ("POST", f"/api/webhooks/{made['id']}/test"),
        ):
            answer = await app.client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


async def test_a_job_that_ends_is_told_with_ids_and_no_words(app: RunningApp, receiver: Receiver) -> None:
    made = await make(app, receiver.url)
    job = await finished(app.client, text="Secret words of the talk.\n", name="secret-name.txt")
    await receiver.wait(1)
    event = verify(receiver.got[0], made["secret"])
    assert (event["type"], event["data"]["job_id"], event["data"]["status"]) == (
        "job.completed",
        job["id"],
        "completed",
    )
    assert event["data"]["transcript_id"] == job["transcript_id"]
    assert event["data"]["error"] is None
    assert b"secret" not in receiver.got[0].body.lower()
    shown = (await log_of(app, made["id"], 1))[0]
    assert (shown["type"], shown["state"], shown["last_status"], shown["attempts"]) == (
        "job.completed",
        "delivered",
        200,
        1,
    )
    detail = (await app.client.get(f"/api/webhooks/{made['id']}/deliveries/{shown['id']}")).json()
    assert detail["payload"] == event
    assert [(one["number"], one["status"], one["response"]) for one in detail["log"]] == [(1, 200, "note")]
    assert (await app.client.get(f"/api/webhooks/{made['id']}")).json()["last_success_at"] is not None


async def test_each_kind_of_end_and_a_changed_transcript_are_told(
    app: RunningApp, receiver: Receiver
) -> None:
    made = await make(app, receiver.url)
    done = await finished(app.client)
    again = await app.client.post(f"/api/jobs/{done['id']}/retry")
    assert again.status_code == 200
    await wait_final(app.client, done["id"])
    failed = await one_that_fails(app)
    await receiver.wait(4)
    told = [verify(got, made["secret"]) for got in receiver.got]
    kinds = sorted((one["type"], one["data"]["job_id"]) for one in told)
    assert kinds == sorted(
        [
            ("job.completed", done["id"]),
            ("job.completed", done["id"]),
            ("job.failed", failed["id"]),
            ("transcript.updated", done["id"]),
        ]
    )
    code = next(one["data"]["error"]["code"] for one in told if one["type"] == "job.failed")
    assert code == failed["error"]["code"]
    assert next(one["data"]["change"] for one in told if one["type"] == "transcript.updated") == "text"
    assert len({got.id for got in receiver.got}) == 4


async def one_that_fails(app: RunningApp) -> dict[str, Any]:
    """Ended by a worker of the test's own, as workers end jobs."""
    await app.container.dispatcher.stop()
    sent = await app.client.post("/api/transcribe", files={"file": ("a.txt", b"words\n")})
    bus = app.container.bus
    async with app.container.database.system() as session:
        claim = await claims.claim_next(session, bus, Owner.current())
        assert claim is not None
        await claims.fail(session, bus, claim, code="engine_failed", message="Broken on purpose.")
    return await wait_final(app.client, sent.json()["job_id"])


async def test_a_cancelled_job_is_told(app: RunningApp, receiver: Receiver) -> None:
    made = await make(app, receiver.url, events=["job.cancelled"])
    await app.container.dispatcher.stop()  # so that it waits
    sent = await app.client.post("/api/transcribe", files={"file": ("a.txt", b"words\n")})
    job_id = sent.json()["job_id"]
    assert (await app.client.post(f"/api/jobs/{job_id}/cancel")).json()["status"] == "cancelled"
    await receiver.wait(1)
    event = verify(receiver.got[0], made["secret"])
    assert (event["type"], event["data"]["job_id"]) == ("job.cancelled", job_id)


async def test_what_is_rolled_back_is_not_told(app: RunningApp) -> None:
    job = await finished(app.client)
    await app.container.webhooks.work.stop()
    before = await waiting(app)
    me = (await app.client.get("/api/auth/me")).json()
    for fails in (True, False):
        with contextlib.suppress(RuntimeError):
            async with app.container.database.tenant(UUID(me["workspaces"][0]["id"])) as session:
                row = await app.container.jobs.get(session, UUID(job["id"]))
                await append_end(session, app.container.bus, row)
                if fails:
                    raise RuntimeError
        assert await waiting(app) == before + (not fails)


async def waiting(app: RunningApp) -> int:
    async with app.container.database.system(read_only=True) as session:
        return int(await session.scalar(sa.select(sa.func.count()).select_from(OutboxEvent)) or 0)


async def test_a_test_event_and_a_replay_arrive(app: RunningApp, receiver: Receiver) -> None:
    made = await make(app, receiver.url)
    base = f"/api/webhooks/{made['id']}"
    sent = await app.client.post(f"{base}/test", headers={"Idempotency-Key": "t"})
    again = await app.client.post(f"{base}/test", headers={"Idempotency-Key": "t"})
    assert (sent.status_code, again.status_code, again.json()["id"]) == (202, 202, sent.json()["id"])
    await receiver.wait(1)
    event = verify(receiver.got[0], made["secret"])
    assert (event["type"], event["data"]["webhook_id"]) == ("webhook.test", made["id"])
    shown = (await log_of(app, made["id"], 1))[0]
    replayed = await app.client.post(f"{base}/deliveries/{shown['id']}/replay")
    assert (replayed.status_code, replayed.json()["state"]) == (202, "pending")
    await receiver.wait(2)
    assert receiver.got[0].id == receiver.got[1].id == shown["message_id"]


async def test_given_up_deliveries_are_found_and_sent_again(app: RunningApp, receiver: Receiver) -> None:
    made = await make(app, receiver.url)
    base = f"/api/webhooks/{made['id']}"
    receiver.status = 410
    await app.client.post(f"{base}/test")
    await log_of(app, made["id"], 1)
    row = (await app.client.get(base)).json()
    assert (row["enabled"], row["disabled_reason"]) == (False, "gone")
    failed = (await app.client.get(f"{base}/deliveries?state=failed")).json()["items"]
    assert [one["last_error"] for one in failed] == ["answered 410"]
    figures = (await app.client.get("/metrics")).text
    assert 'transcribe_webhook_deliveries{state="failed"} 1.0' in figures
    assert 'transcribe_webhook_deliveries{state="delivered"} 0.0' in figures
    assert (await app.client.get(f"{base}/deliveries?state=delivered")).json()["items"] == []
    receiver.status = 200
    await app.client.patch(base, json={"enabled": True})
    late = await app.client.post(f"{base}/recover", json={"since": "2999-01-01T00:00:00Z"})
    assert late.json() == {"queued": 0}
    assert (await app.client.post(f"{base}/recover")).json() == {"queued": 1}
    assert (await log_of(app, made["id"], 1))[0]["state"] == "delivered"


async def test_the_log_has_pages(app: RunningApp, receiver: Receiver) -> None:
    made = await make(app, receiver.url)
    base = f"/api/webhooks/{made['id']}"
    for _ in range(5):
        assert (await app.client.post(f"{base}/test")).status_code == 202
    await log_of(app, made["id"], 5)
    first = (await app.client.get(f"{base}/deliveries?limit=3")).json()
    second = (await app.client.get(f"{base}/deliveries?limit=3&cursor={first['next_cursor']}")).json()
    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (3, 2, None)
    times = [one["created_at"] for one in first["items"] + second["items"]]
    assert times == sorted(times, reverse=True)


async def test_row_27_a_secret_is_not_shown_again_to_a_repeated_request(app: RunningApp) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first = await app.client.post("/api/webhooks", json={"url": URL}, headers=headers)
    again = await app.client.post("/api/webhooks", json={"url": URL}, headers=headers)
    assert again.json() == first.json() | {"secret": None}
    async with app.container.database.system(read_only=True) as session:
        kept = (await session.execute(sa.select(IdempotencyKey))).scalar_one()
    assert first.json()["secret"] not in app.container.idempotency._sealer.unseal(kept.body or "")


async def test_speakers_that_are_named_are_told(app: RunningApp, receiver: Receiver) -> None:
    job = await finished(app.client)
    async with app.container.database.system() as session:
        await session.execute(
            sa.update(Segment).where(Segment.transcript_id == UUID(job["transcript_id"])).values(speaker="S1")
        )
    made = await make(app, receiver.url, events=["transcript.updated"])
    named = await app.client.patch(f"/api/jobs/{job['id']}/speakers/S1", json={"name": "Ada Lovelace"})
    assert named.status_code == 200, named.text
    await receiver.wait(1)
    event = verify(receiver.got[0], made["secret"])
    assert (event["type"], event["data"]["change"]) == ("transcript.updated", "speakers")
    assert b"Ada" not in receiver.got[0].body
