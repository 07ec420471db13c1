"""Sending, with a clock that is moved and a receiver on loopback: goal R26 and what the specification asks of senders."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.clock import new_id
from app.core.errors import RateLimitedError
from app.core.security import Sealer
from app.db.session import Database
from app.models import AuditEntry, Membership, Role, User
from app.models.webhooks import DeliveryState, DisabledReason, EventType
from app.services.integrations.deliveries import Deliveries
from app.services.integrations.endpoints import MAX_EARLIER, WebhookEndpoints
from app.services.integrations.schedule import JITTER, PAUSES
from app.services.integrations.sender import LEASE, UNREADABLE, WebhookSender
from tests.fixtures.jobs import add_workspace
from tests.fixtures.mails import mails_to
from tests.fixtures.receiver import Receiver, receiving
from tests.fixtures.webhooks import Post, verify

DELIVERIES = Deliveries(lambda: None)


@pytest.fixture
async def workspace(database: Database) -> UUID:
    made = await add_workspace(database)
    async with database.system() as session:
        owner = User(id=new_id(), email="owner@example.org", name="", password_hash="")
        session.add(owner)
        await session.flush()
        session.add(Membership(workspace_id=made, user_id=owner.id, role=Role.OWNER))
    return made


async def test_an_event_is_sent_once_signed_and_thin(post: Post, workspace: UUID, receiver: Receiver) -> None:
    _, secret = await post.endpoint(workspace, receiver.url)
    await post.tell(workspace, job_id="j", status="completed")
    assert await post.sender.run_once() == 1
    assert await post.sender.run_once() == 0
    got = receiver.got[0]
    event = verify(got, secret, post.clock)
    assert event["type"] == "job.completed"
    assert event["data"] == {"workspace_id": str(workspace), "job_id": "j", "status": "completed"}
    assert got.headers["content-type"] == "application/json"
    delivery = (await post.deliveries())[0]
    assert (delivery.state, delivery.last_status, delivery.attempts) == (DeliveryState.DELIVERED, 200, 1)
    assert got.id == f"msg_{delivery.event_id.hex}"
    attempt = (await post.attempts())[0]
    assert (attempt.status, attempt.response, attempt.error) == (200, "note", None)


async def test_each_endpoint_gets_what_it_asked_for(post: Post, workspace: UUID, receiver: Receiver) -> None:
    other = await add_workspace(post.database, "another")
    await post.endpoint(workspace, receiver.url + "/all")
    await post.endpoint(workspace, receiver.url + "/failed", events=["job.failed"])
    await post.endpoint(
        workspace, receiver.url + "/off", disabled_at=post.clock.now, disabled_reason="person"
    )
    await post.endpoint(workspace, receiver.url + "/later", created_at=post.clock.now + timedelta(hours=1))
    await post.endpoint(other, receiver.url + "/foreign")
    await post.tell(workspace, EventType.JOB_COMPLETED)
    await post.tell(workspace, EventType.JOB_FAILED)
    assert await post.sender.run_once() == 3
    seen = sorted((got.path, got.event["type"]) for got in receiver.got)
    assert seen == [
        ("/hook/all", "job.completed"),
        ("/hook/all", "job.failed"),
        ("/hook/failed", "job.failed"),
    ]


async def test_r26_a_receiver_that_is_down_for_the_whole_table_gets_every_event_in_the_end(
    post: Post, workspace: UUID, receiver: Receiver
) -> None:
    """Up again before the last try: nobody has to do anything."""
    _, secret = await post.endpoint(workspace, receiver.url)
    for number in range(5):
        await post.tell(workspace, job_id=str(number))
    receiver.down = True
    assert await post.sender.run_once() == 5
    for pause in PAUSES[:-1]:
        post.clock.move(pause * (1 - JITTER) - timedelta(seconds=1))
        assert await post.sender.run_once() == 0, f"too early for {pause}"
        post.clock.move(pause * 2 * JITTER + timedelta(seconds=2))
        assert await post.sender.run_once() == 5
    assert receiver.got == []
    receiver.down = False
    post.clock.move(PAUSES[-1] * (1 + JITTER))
    assert await post.sender.run_once() == 5
    assert {verify(got, secret, post.clock)["data"]["job_id"] for got in receiver.got} == set("01234")
    assert {d.state for d in await post.deliveries()} == {DeliveryState.DELIVERED}
    assert {d.attempts for d in await post.deliveries()} == {10}


async def fail_for_days(post: Post) -> None:
    await post.sender.run_once()
    for pause in PAUSES:
        post.clock.move(pause * (1 + JITTER))
        await post.sender.run_once()


async def test_r26_one_that_is_down_for_longer_is_switched_off_and_gets_all_it_missed_when_it_is_back(
    post: Post, workspace: UUID, receiver: Receiver
) -> None:
    endpoint, secret = await post.endpoint(workspace, receiver.url)
    receiver.status = 500
    for number in range(3):
        await post.tell(workspace, job_id=str(number))
    await fail_for_days(post)
    row = await post.read(endpoint)
    assert (row.disabled_reason, row.disabled_at is None) == (DisabledReason.FAILING, False)
    await post.tell(workspace, job_id="3")  # what happens meanwhile is kept, and not sent
    sent = len(receiver.got)
    assert await post.sender.run_once() == 0
    assert len(receiver.got) == sent
    async with post.database.system(read_only=True) as session:
        entry = (await session.execute(sa.select(AuditEntry))).scalar_one()
    assert (entry.action, entry.workspace_id, entry.target_id) == (
        "webhook.disabled",
        workspace,
        str(endpoint),
    )
    assert (entry.detail["reason"], entry.detail["host"]) == ("failing", "127.0.0.1")
    mails = await mails_to(post.database, "owner@example.org")
    assert len(mails) == 1
    assert str(endpoint) in mails[0].body

    receiver.status, receiver.got = 204, []
    async with post.database.tenant(workspace) as session:
        await WebhookEndpoints(post.secrets, str).change(session, endpoint, {"enabled": True})
        assert await DELIVERIES.recover(session, endpoint) == 4
    assert await post.sender.run_once() == 4
    assert {verify(got, secret, post.clock)["data"]["job_id"] for got in receiver.got} == set("0123")
    assert {d.state for d in await post.deliveries()} == {DeliveryState.DELIVERED}


async def test_one_bad_event_does_not_switch_off_what_works(
    post: Post, workspace: UUID, receiver: Receiver
) -> None:
    endpoint, _ = await post.endpoint(workspace, receiver.url)
    receiver.choose = lambda got: 400 if b"bad" in got.body else 200
    await post.tell(workspace, job_id="bad")
    await post.sender.run_once()
    for pause in PAUSES:
        post.clock.move(pause * (1 + JITTER))
        await post.tell(workspace, job_id="good")
        await post.sender.run_once()
    states = {d.payload.count("bad"): d.state for d in await post.deliveries()}
    assert states == {1: DeliveryState.FAILED, 0: DeliveryState.DELIVERED}
    assert (await post.read(endpoint)).disabled_at is None


async def test_410_switches_off_at_once(post: Post, workspace: UUID, receiver: Receiver) -> None:
    endpoint, _ = await post.endpoint(workspace, receiver.url)
    receiver.status = 410
    await post.tell(workspace, job_id="1")
    await post.sender.run_once()
    await post.tell(workspace, job_id="2")
    assert await post.sender.run_once() == 0
    assert (await post.read(endpoint)).disabled_reason == DisabledReason.GONE
    deliveries = await post.deliveries()
    assert {d.state for d in deliveries} == {DeliveryState.FAILED}
    assert "410 Gone" in (deliveries[-1].last_error or "")  # never tried, and why
    assert len(await mails_to(post.database, "owner@example.org")) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_retry_after_holds_back_everything_for_this_endpoint(
    post: Post, workspace: UUID, receiver: Receiver, status: int
) -> None:
    await post.endpoint(workspace, receiver.url)
    receiver.status, receiver.headers = status, {"Retry-After": "3600"}
    await post.tell(workspace, job_id="1")
    assert await post.sender.run_once() == 1
    await post.tell(workspace, job_id="2")
    post.clock.move(timedelta(seconds=3590))
    assert await post.sender.run_once() == 0
    receiver.status, receiver.headers = 200, {}
    post.clock.move(timedelta(seconds=15))
    assert await post.sender.run_once() == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_row_44_redirects_are_not_followed(
    post: Post, workspace: UUID, receiver: Receiver, status: int
) -> None:
    await post.endpoint(workspace, receiver.url)
    async with receiving() as elsewhere:
        receiver.status, receiver.headers = status, {"Location": elsewhere.url}
        await post.tell(workspace)
        await post.sender.run_once()
        assert (len(receiver.got), elsewhere.calls) == (1, 0)
    delivery = (await post.deliveries())[0]
    assert (delivery.state, delivery.last_error) == (DeliveryState.PENDING, "redirects are not followed")


async def test_row_45_both_secrets_sign_for_a_day_after_a_rotation(
    post: Post, workspace: UUID, receiver: Receiver
) -> None:
    endpoint, old = await post.endpoint(workspace, receiver.url)
    async with post.database.tenant(workspace) as session:
        _, new = await WebhookEndpoints(post.secrets, str).rotate(session, endpoint)
    await post.tell(workspace)
    await post.sender.run_once()
    assert verify(receiver.got[0], old, post.clock) == verify(receiver.got[0], new, post.clock)
    post.clock.move(timedelta(hours=25))
    await post.tell(workspace)
    await post.sender.run_once()
    assert verify(receiver.got[1], new, post.clock)
    with pytest.raises(Exception, match="No matching signature"):
        verify(receiver.got[1], old, post.clock)


async def test_row_45_every_secret_signs_for_its_own_day_however_often_one_rotates(
    post: Post, workspace: UUID, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the first rotation is lost, so that one has to rotate again: the deployed secret goes on."""
    endpoint, deployed = await post.endpoint(workspace, receiver.url)
    monkeypatch.setattr("app.services.integrations.endpoints.utcnow", lambda: post.clock.now)
    secrets = [deployed]
    for _ in range(MAX_EARLIER):
        async with post.database.tenant(workspace) as session:
            secrets.append((await WebhookEndpoints(post.secrets, str).rotate(session, endpoint))[1])
        post.clock.move(timedelta(hours=1))
    await post.tell(workspace)
    await post.sender.run_once()
    for secret in secrets:
        assert verify(receiver.got[0], secret, post.clock)
    for secret in secrets:
        assert secret.removeprefix("whsec_") not in json.dumps((await post.read(endpoint)).older_secrets)

    async with post.database.tenant(workspace) as session:
        with pytest.raises(RateLimitedError, match="still sign") as refused:
            await WebhookEndpoints(post.secrets, str).rotate(session, endpoint)
    assert refused.value.retry_after == (24 - MAX_EARLIER) * 3600

    post.clock.move(timedelta(hours=24 - MAX_EARLIER))  # the first has had its day
    async with post.database.tenant(workspace) as session:
        secrets.append((await WebhookEndpoints(post.secrets, str).rotate(session, endpoint))[1])
    await post.tell(workspace)
    await post.sender.run_once()
    with pytest.raises(Exception, match="No matching signature"):
        verify(receiver.got[1], deployed, post.clock)
    for secret in secrets[1:]:
        assert verify(receiver.got[1], secret, post.clock)


async def test_a_rotation_mends_a_webhook_whose_secret_cannot_be_read(
    post: Post, workspace: UUID, receiver: Receiver
) -> None:
    """After a change of JWT_SECRET_KEY: the one before cannot sign, the new one does."""
    lost = Sealer(b"x" * 48, "webhook-secret").seal("whsec_a")
    endpoint, _ = await post.endpoint(workspace, receiver.url, secret=lost)
    async with post.database.tenant(workspace) as session:
        _, new = await WebhookEndpoints(post.secrets, str).rotate(session, endpoint)
    await post.tell(workspace)
    await post.sender.run_once()
    assert verify(receiver.got[0], new, post.clock)


async def test_row_45_altered_and_old_messages_are_refused_by_the_library(
    post: Post, workspace: UUID, receiver: Receiver
) -> None:
    _, secret = await post.endpoint(workspace, receiver.url)
    await post.tell(workspace)
    await post.sender.run_once()
    got = receiver.got[0]
    forged = type(got)(got.path, got.headers, got.body.replace(b"completed", b"cancelled"))
    with pytest.raises(Exception, match="No matching signature"):
        verify(forged, secret, post.clock)
    post.clock.move(timedelta(seconds=301))
    with pytest.raises(Exception, match="too old"):
        verify(got, secret, post.clock)


async def test_the_same_event_has_the_same_id_and_body_each_time(
    post: Post, workspace: UUID, receiver: Receiver
) -> None:
    endpoint, secret = await post.endpoint(workspace, receiver.url)
    receiver.status = 500
    await post.tell(workspace)
    await post.sender.run_once()
    receiver.status = 200
    post.clock.move(PAUSES[0] * 2)
    await post.sender.run_once()
    async with post.database.tenant(workspace) as session:
        await DELIVERIES.replay(session, endpoint, (await post.deliveries())[0].id)
    post.clock.move(timedelta(seconds=10))
    await post.sender.run_once()
    assert len(receiver.got) == 3
    assert len({got.id for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1
    assert len({got.headers["webhook-timestamp"] for got in receiver.got}) >= 2
    assert verify(receiver.got[2], secret, post.clock)
    assert [a.number for a in await post.attempts()] == [1, 2, 3]


async def test_many_processes_send_each_event_once(post: Post, workspace: UUID, receiver: Receiver) -> None:
    await post.endpoint(workspace, receiver.url)
    for number in range(30):
        await post.tell(workspace, job_id=str(number))
    sender = post.sender
    others = [WebhookSender(post.database, sender._door, post.secrets, now=post.clock) for _ in range(3)]
    made = await asyncio.gather(*(one.run_once() for one in (sender, *others)))
    assert sum(made) == 30
    assert len({got.id for got in receiver.got}) == len(receiver.got) == 30


async def test_r26_a_process_that_dies_on_the_way_leaves_the_delivery_to_another(
    post: Post, workspace: UUID, receiver: Receiver
) -> None:
    endpoint, _ = await post.endpoint(workspace, receiver.url)
    held = asyncio.Event()

    async def hold(_writer: asyncio.StreamWriter) -> None:
        await held.wait()

    receiver.script = hold
    await post.tell(workspace)
    dying = asyncio.create_task(post.sender.run_once())
    await receiver.wait(1)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    held.set()
    receiver.script = None
    assert await post.sender.run_once() == 0  # held by its lease
    post.clock.move(LEASE + timedelta(seconds=1))
    assert await post.sender.run_once() == 1
    assert len({got.id for got in receiver.got}) == 1
    assert (await post.deliveries())[0].state == DeliveryState.DELIVERED
    assert (await post.read(endpoint)).failing_since is None


async def test_a_slow_receiver_holds_up_nobody_else(post: Post, workspace: UUID, receiver: Receiver) -> None:
    held = asyncio.Event()

    async def hold(writer: asyncio.StreamWriter) -> None:
        await held.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with receiving() as slow:
        slow.script = hold
        await post.endpoint(workspace, slow.url)
        await post.endpoint(workspace, receiver.url)
        for number in range(12):
            await post.tell(workspace, job_id=str(number))
        working = asyncio.create_task(post.sender.run_once())
        await receiver.wait(12)
        assert slow.calls <= 2  # and it is not flooded either
        await post.tell(workspace, job_id="late")
        await receiver.wait(13)
        held.set()
        await working
        assert len(slow.got) == 13


async def test_removed_endpoints_take_their_log_along(
    post: Post, workspace: UUID, receiver: Receiver
) -> None:
    endpoint, _ = await post.endpoint(workspace, receiver.url)
    await post.tell(workspace)
    await post.sender.run_once()
    async with post.database.tenant(workspace) as session:
        await WebhookEndpoints(post.secrets, str).delete(session, endpoint)
    assert await post.deliveries() == []
    assert await post.attempts() == []
    await post.tell(workspace)
    assert await post.sender.run_once() == 0


async def test_the_log_is_swept(post: Post, workspace: UUID, receiver: Receiver) -> None:
    from app.services.integrations.deliveries import purge_log

    await post.endpoint(workspace, receiver.url)
    await post.tell(workspace)
    await post.sender.run_once()
    assert await purge_log(post.database, timedelta(days=30)) == 0
    assert await purge_log(post.database, timedelta(seconds=-60)) == 1
    assert await post.attempts() == []


async def test_secrets_are_sealed_at_rest(post: Post, workspace: UUID, receiver: Receiver) -> None:
    endpoint, secret = await post.endpoint(workspace, receiver.url)
    row = await post.read(endpoint)
    assert secret.removeprefix("whsec_") not in json.dumps(row.secret)
    assert post.secrets.that_sign(row, post.clock.now) == [secret]


async def test_a_secret_that_cannot_be_read_any_more_is_told_and_holds_up_nobody(
    post: Post, workspace: UUID, receiver: Receiver
) -> None:
    """After a change of JWT_SECRET_KEY."""
    await post.endpoint(
        workspace, receiver.url + "/old", secret=Sealer(b"x" * 48, "webhook-secret").seal("whsec_a")
    )
    _, secret = await post.endpoint(workspace, receiver.url + "/new")
    await post.tell(workspace)
    assert await post.sender.run_once() == 2
    assert [got.path for got in receiver.got] == ["/hook/new"]
    assert verify(receiver.got[0], secret, post.clock)
    errors = {delivery.last_error for delivery in await post.deliveries()}
    assert errors == {None, UNREADABLE}
