"""One's own account: a forgotten password, a verified address, the second factor, devices, leaving."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pyotp
import pytest
import sqlalchemy as sa

from app.core.background import Background
from app.core.clock import utcnow
from app.db.session import Database
from app.models import Job, LoginThrottle, MailToken, Membership, Role, User, Workspace
from tests.fixtures.app import PASSWORD, MakeApp, RunningApp
from tests.fixtures.identity import Person, login, refresh, register
from tests.fixtures.mails import link_in, mails_to, token_in

NEW = "another long sentence 4 you"
EMAIL = "ada@example.org"


@pytest.fixture(autouse=True)
def mail_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox is read by the tests; nothing takes mails out of it."""
    start = Background.start
    monkeypatch.setattr(Background, "start", lambda self: None if self._name == "send_mail" else start(self))


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


async def post(app: RunningApp, path: str, person: Person | None = None, **body: Any) -> httpx2.Response:
    headers = person.bearer if person else {}
    answer = await app.client.post(f"/api/auth/{path}", json=body, headers=headers)
    app.client.cookies.clear()
    return answer


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def sign_in(app: RunningApp, **fields: Any) -> httpx2.Response:
    return await post(app, "login", **{"email": EMAIL, "password": PASSWORD} | fields)


# A forgotten password


async def reset_token(app: RunningApp) -> str:
    assert (await post(app, "password/forgot", email=EMAIL)).json() == {"status": "sent"}
    return token_in((await mails_to(app.container.database, EMAIL))[-1])


async def test_row_26_a_forgotten_password_is_replaced_and_everybody_is_signed_out(app: RunningApp) -> None:
    ada = await register(app.client)
    token = await reset_token(app)
    assert (await post(app, "password/reset", token=token, new_password="short")).status_code == 422
    assert (await post(app, "password/reset", token=token, new_password=NEW)).status_code == 204
    assert (await app.client.get("/api/auth/me", headers=ada.bearer)).status_code == 401
    assert (await refresh(app.client, ada.refresh_token)).status_code == 401
    assert (await sign_in(app)).status_code == 401
    assert (await sign_in(app, password=NEW)).status_code == 200
    assert code_of(await post(app, "password/reset", token=token, new_password=NEW)) == (410, "token_invalid")
    told = (await mails_to(app.container.database, EMAIL))[-1]
    assert told.subject == "Your password was changed"


async def test_row_26_the_first_mail_that_arrives_ends_the_keys_of_whoever_was_in_before(
    app: RunningApp,
) -> None:
    """Anybody may register with any address; its owner gets an account without doors that somebody else made."""
    ada = await register(app.client)

    async def key() -> dict[str, str]:
        sent = await app.client.post(
            f"/api/workspaces/{ada.workspace_id}/api-keys", json={"name": "mine"}, headers=ada.bearer
        )
        return {"Authorization": f"Bearer {sent.json()['key']}"}

    async def status(headers: dict[str, str]) -> int:
        return (await app.client.get("/api/jobs", headers=headers)).status_code

    before = await key()
    assert await status(before) == 200
    assert (
        await post(app, "password/reset", token=await reset_token(app), new_password=NEW)
    ).status_code == 204
    assert await status(before) == 401
    ada = await login(app.client, EMAIL, NEW)
    after = await key()
    assert (
        await post(app, "password/reset", token=await reset_token(app), new_password=NEW)
    ).status_code == 204
    assert await status(after) == 200  # the address was its owner's already


async def test_row_26_the_first_mail_that_arrives_takes_off_the_second_factor_of_whoever_was_in_before(
    app: RunningApp,
) -> None:
    ada = await register(app.client)
    secret = (await post(app, "totp/setup", ada, password=PASSWORD)).json()["secret"]
    assert (await post(app, "totp/enable", ada, code=pyotp.TOTP(secret).now())).status_code == 200
    assert (await sign_in(app)).status_code == 401
    assert (
        await post(app, "password/reset", token=await reset_token(app), new_password=NEW)
    ).status_code == 204
    ada = await login(app.client, EMAIL, NEW)
    # From now on the address is its owner's, and so is the factor: a mail alone does not take it off.
    secret = (await post(app, "totp/setup", ada, password=NEW)).json()["secret"]
    assert (await post(app, "totp/enable", ada, code=pyotp.TOTP(secret).now())).status_code == 200
    assert (
        await post(app, "password/reset", token=await reset_token(app), new_password=PASSWORD)
    ).status_code == 204
    assert code_of(await sign_in(app)) == (401, "totp_required")


async def test_row_26_a_page_can_ask_whether_its_link_is_good_still(app: RunningApp) -> None:
    await register(app.client)
    token = await reset_token(app)
    for _ in range(2):
        assert (await post(app, "password/reset/check", token=token)).status_code == 204
    assert (await post(app, "password/reset", token=token, new_password=NEW)).status_code == 204
    for used in (token, "nonsense", ""):
        assert code_of(await post(app, "password/reset/check", token=used)) == (410, "token_invalid")


async def test_row_26_reset_tokens_expire_and_one_use_ends_the_others(app: RunningApp) -> None:
    await register(app.client)
    first, second = await reset_token(app), await reset_token(app)
    assert (await post(app, "password/reset", token=second, new_password=NEW)).status_code == 204
    assert code_of(await post(app, "password/reset", token=first, new_password=NEW)) == (410, "token_invalid")
    third = await reset_token(app)
    async with app.container.database.system() as session:
        await session.execute(sa.update(MailToken).values(expires_at=utcnow() - timedelta(seconds=1)))
    for token in (third, "nonsense", ""):
        answer = await post(app, "password/reset", token=token, new_password=NEW)
        assert code_of(answer) == (410, "token_invalid")


async def test_row_26_one_token_is_used_once_by_many_at_once(app: RunningApp) -> None:
    await register(app.client)
    token = await reset_token(app)
    answers = await asyncio.gather(
        *(post(app, "password/reset", token=token, new_password=f"{NEW} {n}") for n in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [204, 410, 410, 410, 410]


async def test_row_26_a_token_of_one_purpose_is_no_token_of_another(app: RunningApp) -> None:
    await register(app.client)
    token = await reset_token(app)
    assert code_of(await post(app, "verify-email", token=token)) == (410, "token_invalid")
    answer = await app.client.post("/api/invitations/inspect", json={"token": token})
    assert code_of(answer) == (410, "token_invalid")


# A verified address


@pytest.fixture
async def careful(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, email_verification=True)


async def test_an_account_works_once_its_address_is_verified(careful: RunningApp) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    answer = await post(careful, "register", **body)
    assert (answer.status_code, answer.json()) == (202, {"status": "verification_required"})
    assert "set-cookie" not in answer.headers
    assert code_of(await sign_in(careful)) == (403, "email_unverified")
    assert code_of(await sign_in(careful, password="wrong password")) == (401, "unauthenticated")
    token = token_in((await mails_to(careful.container.database, EMAIL))[0])
    assert (await post(careful, "verify-email", token=token)).status_code == 204
    assert code_of(await post(careful, "verify-email", token=token)) == (410, "token_invalid")
    signed_in = await sign_in(careful)
    assert signed_in.json()["user"]["email_verified"] is True


async def test_row_24_registering_a_known_address_tells_its_owner_only(careful: RunningApp) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    first, second = await post(careful, "register", **body), await post(careful, "register", **body)
    assert (first.status_code, first.content) == (second.status_code, second.content) == (202, second.content)
    subjects = [mail.subject for mail in await mails_to(careful.container.database, EMAIL)]
    assert subjects == ["Confirm your e-mail address", "You have an account already"]


async def test_another_link_on_request(careful: RunningApp) -> None:
    await post(careful, "register", email=EMAIL, password=PASSWORD)
    for email in (EMAIL, "nobody@example.org", "no address"):
        answer = await post(careful, "verify-email/resend", email=email)
        assert (answer.status_code, answer.json()) == (202, {"status": "sent"})
    mails = await mails_to(careful.container.database, EMAIL)
    assert len(mails) == 2
    assert (await post(careful, "verify-email", token=token_in(mails[0]))).status_code == 204
    assert code_of(await post(careful, "verify-email", token=token_in(mails[1]))) == (410, "token_invalid")


async def test_an_invitation_opens_closed_registration_for_its_address(
    make_app: MakeApp, database_url: str
) -> None:
    app = await make_app(database_url=database_url)
    ada = await register(app.client)
    path = f"/api/workspaces/{ada.workspace_id}/invitations"
    made = await app.client.post(path, json={"email": "bob@example.org"}, headers=ada.bearer)
    token = made.json()["url"].rpartition("/")[2]
    closed = await make_app(database_url=database_url, allow_registration=False, email_verification=True)
    body = {"password": PASSWORD, "invitation_token": token}
    assert code_of(await post(closed, "register", email="eve@example.org", **body)) == (403, "wrong_account")
    wrong = await post(
        closed, "register", email="bob@example.org", password=PASSWORD, invitation_token="no such"
    )
    assert code_of(wrong) == (410, "token_invalid")
    joined = await post(closed, "register", email="bob@example.org", **body)
    assert (joined.status_code, joined.json()) == (202, {"status": "verification_required"})
    assert "set-cookie" not in joined.headers
    bob = {"email": "bob@example.org", "password": PASSWORD}
    assert code_of(await post(closed, "login", **bob)) == (
        403,
        "email_unverified",
    )  # the inviter saw the link
    verify = token_in((await mails_to(closed.container.database, "bob@example.org"))[-1])
    assert (await post(closed, "verify-email", token=verify)).status_code == 204
    user = (await post(closed, "login", **bob)).json()["user"]
    assert user["email_verified"] is True
    assert {w["id"]: w["role"] for w in user["workspaces"]}[ada.workspace_id] == "member"


async def invite(app: RunningApp, inviter: Person, email: str) -> dict[str, Any]:
    path = f"/api/workspaces/{inviter.workspace_id}/invitations"
    answer = await app.client.post(path, json={"email": email}, headers=inviter.bearer)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_an_invitation_that_only_the_mail_holds_verifies_its_address(
    make_app: MakeApp, database_url: str
) -> None:
    app = await make_app(database_url=database_url, smtp_host="127.0.0.1")
    careful = await make_app(
        database_url=database_url, smtp_host="127.0.0.1", email_verification=True, allow_registration=False
    )
    ada = await register(app.client)
    assert (await invite(app, ada, "bob@example.org"))["url"] is None
    token = token_in((await mails_to(app.container.database, "bob@example.org"))[-1])
    bob = await register(careful.client, "bob@example.org", invitation_token=token)
    assert bob.body["user"]["email_verified"] is True


async def test_row_24_an_invitation_that_was_shown_tells_no_known_address(careful: RunningApp) -> None:
    await post(careful, "register", email=EMAIL, password=PASSWORD)
    token = token_in((await mails_to(careful.container.database, EMAIL))[0])
    await post(careful, "verify-email", token=token)
    ada = Person((await sign_in(careful)).json(), None)
    for email in ("bob@example.org", "eve@example.org"):
        shown = (await invite(careful, ada, email))["url"].rpartition("/")[2]
        if email.startswith("eve"):
            await post(careful, "register", email=email, password=PASSWORD)
        answer = await post(careful, "register", email=email, password=NEW, invitation_token=shown)
        assert (answer.status_code, answer.json()) == (202, {"status": "verification_required"})
    subjects = [mail.subject for mail in await mails_to(careful.container.database, "eve@example.org")]
    assert subjects[-1] == "You have an account already"


async def test_a_mail_server_that_comes_later_makes_no_proof_of_a_link_that_was_shown(
    make_app: MakeApp, database_url: str
) -> None:
    app = await make_app(database_url=database_url)
    ada = await register(app.client)
    shown = {}
    for email in ("bob@example.org", "eve@example.org"):
        shown[email] = (await invite(app, ada, email))["url"].rpartition("/")[2]
    mailing = await make_app(database_url=database_url, smtp_host="127.0.0.1")
    bob = await register(mailing.client, "bob@example.org", invitation_token=shown["bob@example.org"])
    assert bob.body["user"]["email_verified"] is False
    assert (await invite(mailing, ada, "eve@example.org"))["url"] is None
    body = {"email": "eve@example.org", "password": PASSWORD}
    old = await post(mailing, "register", **body, invitation_token=shown["eve@example.org"])
    assert code_of(old) == (410, "token_invalid")
    mailed = token_in((await mails_to(mailing.container.database, "eve@example.org"))[-1])
    eve = await register(app.client, "eve@example.org", invitation_token=mailed)
    assert eve.body["user"]["email_verified"] is True


# The second factor


async def enable(app: RunningApp, person: Person) -> tuple[pyotp.TOTP, list[str]]:
    made = (await post(app, "totp/setup", person, password=PASSWORD)).json()
    assert made["otpauth_url"].startswith("otpauth://totp/Transcribe:")
    totp = pyotp.TOTP(made["secret"])
    before = totp.at(time.time() - 30)
    on = await post(app, "totp/enable", person, code=before)
    assert on.status_code == 200, on.text
    return totp, on.json()["backup_codes"]


async def test_the_second_factor_is_asked_for_once_the_password_was_right(app: RunningApp) -> None:
    ada = await register(app.client)
    totp, codes = await enable(app, ada)
    assert len(set(codes)) == 10
    assert code_of(await sign_in(app)) == (401, "totp_required")
    assert code_of(await sign_in(app, password="wrong password")) == (401, "unauthenticated")
    assert code_of(await sign_in(app, code="000000")) == (401, "totp_invalid")
    form = await app.client.post("/api/auth/token", data={"username": EMAIL, "password": PASSWORD})
    assert code_of(form) == (401, "totp_required")
    good = await sign_in(app, code=totp.now())
    assert good.status_code == 200
    assert good.json()["user"]["totp_enabled"] is True
    state = await app.client.get("/api/auth/totp", headers=ada.bearer)
    assert state.json() == {"enabled": True, "backup_codes_left": 10}


async def test_row_25_a_code_counts_once_whoever_shows_it_again(app: RunningApp) -> None:
    ada = await register(app.client)
    totp, _ = await enable(app, ada)
    code = totp.now()
    answers = await asyncio.gather(*(sign_in(app, code=code) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers).count(200) == 1
    assert code_of(await sign_in(app, code=code)) == (401, "totp_invalid")
    assert code_of(await sign_in(app, code=totp.at(time.time() - 30))) == (401, "totp_invalid")


async def test_backup_codes_stand_in_once_each_and_can_be_renewed(app: RunningApp) -> None:
    ada = await register(app.client)
    totp, codes = await enable(app, ada)
    assert (await sign_in(app, code=codes[0].upper())).status_code == 200
    assert code_of(await sign_in(app, code=codes[0])) == (401, "totp_invalid")
    assert (await sign_in(app, code=codes[1].replace("-", ""))).status_code == 200
    state = await app.client.get("/api/auth/totp", headers=ada.bearer)
    assert state.json()["backup_codes_left"] == 8
    renewed = await post(app, "totp/backup-codes", ada, password=PASSWORD, code=totp.now())
    assert len(renewed.json()["backup_codes"]) == 10
    assert code_of(await sign_in(app, code=codes[2])) == (401, "totp_invalid")


async def test_taking_the_factor_off_needs_both(app: RunningApp) -> None:
    ada = await register(app.client)
    _, codes = await enable(app, ada)
    wrong = await post(app, "totp/disable", ada, password="wrong password", code=codes[0])
    assert code_of(wrong) == (403, "wrong_password")
    assert code_of(await post(app, "totp/disable", ada, password=PASSWORD, code="123456")) == (
        403,
        "totp_invalid",
    )
    assert code_of(await post(app, "totp/setup", ada, password=PASSWORD)) == (409, "invalid_state")
    assert (await post(app, "totp/disable", ada, password=PASSWORD, code=codes[0])).status_code == 204
    assert (await sign_in(app)).status_code == 200
    async with app.container.database.system(read_only=True) as session:
        user = (await session.execute(sa.select(User))).scalar_one()
    assert user.totp_secret is None


async def test_a_secret_is_sealed_and_counts_for_nothing_before_its_first_code(app: RunningApp) -> None:
    ada = await register(app.client)
    assert code_of(await post(app, "totp/enable", ada, code="123456")) == (409, "invalid_state")
    made = (await post(app, "totp/setup", ada, password=PASSWORD)).json()
    async with app.container.database.system(read_only=True) as session:
        user = (await session.execute(sa.select(User))).scalar_one()
    assert made["secret"] not in (user.totp_secret or "")
    assert (await sign_in(app)).status_code == 200
    assert code_of(await post(app, "totp/enable", ada, code="123456")) == (403, "totp_invalid")


# Devices


async def test_devices_are_listed_and_signed_out(app: RunningApp) -> None:
    ada, phone, other = await register(app.client), await login(app.client), await login(app.client)
    eve = await register(app.client, "eve@example.org")
    listed = (await app.client.get("/api/auth/sessions", headers=ada.bearer)).json()["items"]
    assert [one["current"] for one in listed] == [False, False, True]
    missing = [
        await app.client.delete(f"/api/auth/sessions/{session_id}", headers=eve.bearer)
        for session_id in (listed[0]["id"], str(uuid4()))
    ]
    assert [answer.status_code for answer in missing] == [404, 404]
    gone = await app.client.delete(f"/api/auth/sessions/{listed[0]['id']}", headers=ada.bearer)
    assert gone.status_code == 204
    assert (await app.client.get("/api/auth/me", headers=other.bearer)).status_code == 401
    assert (await app.client.get("/api/auth/me", headers=phone.bearer)).status_code == 200
    assert (await app.client.delete("/api/auth/sessions", headers=ada.bearer)).status_code == 204
    assert (await app.client.get("/api/auth/me", headers=phone.bearer)).status_code == 401
    assert (await app.client.get("/api/auth/me", headers=ada.bearer)).status_code == 200


# Guessing


async def test_row_25_guessing_is_slowed_down_for_known_and_unknown_accounts_alike(
    make_app: MakeApp, database_url: str
) -> None:
    app = await make_app(database_url=database_url, lockout_failures=3)
    await register(app.client)
    for email in (EMAIL, "nobody@example.org"):
        answers = [await sign_in(app, email=email, password="a wrong password") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
    paused = await sign_in(app)
    assert code_of(paused) == (429, "rate_limited")
    async with app.container.database.system() as session:
        await session.execute(sa.update(LoginThrottle).values(blocked_until=utcnow()))
    assert (await sign_in(app)).status_code == 200
    async with app.container.database.system(read_only=True) as session:
        left = (await session.execute(sa.select(LoginThrottle.key))).scalars().all()
    assert len(left) == 2  # those of the unknown account


# Leaving


async def test_an_account_goes_with_what_is_its_alone(app: RunningApp) -> None:
    admin, ada = await register(app.client, "admin@example.org"), await register(app.client)
    sent = await app.client.post(
        "/api/transcribe", files={"file": ("notes.txt", b"words")}, headers=ada.bearer
    )
    assert sent.status_code == 202
    assert code_of(await post(app, "delete", ada, password="wrong password")) == (403, "wrong_password")
    async with app.container.database.system() as session:
        session.add(Membership(workspace_id=UUID(ada.workspace_id), user_id=UUID(admin.id), role=Role.MEMBER))
    refused = await post(app, "delete", ada, password=PASSWORD)
    assert (*code_of(refused), refused.json()["error"]["field"]) == (409, "conflict", "workspaces")
    path = f"/api/workspaces/{ada.workspace_id}/members/{admin.id}"
    await app.client.delete(path, headers=ada.bearer)
    assert (await post(app, "delete", ada, password=PASSWORD)).status_code == 204
    assert (await app.client.get("/api/auth/me", headers=ada.bearer)).status_code == 401
    assert (await sign_in(app)).status_code == 401
    for _ in range(200):
        async with app.container.database.system(read_only=True) as session:
            left = await session.get(Workspace, UUID(ada.workspace_id))
        if left is None:
            break
        await asyncio.sleep(0.05)
    assert left is None
    assert not (app.settings.storage_dir / "objects" / "w" / ada.workspace_id).exists()


async def test_an_account_goes_while_its_job_writes_events(make_app: MakeApp, postgres_url: str) -> None:
    """On Postgres alone: SQLite has one writer at a time."""
    app = await make_app(database_url=postgres_url, transcription_backend="stub")
    await register(app.client, "admin@example.org")
    ada = await register(app.client)
    sent = await app.client.post(
        "/api/transcribe", files={"file": ("notes.txt", b"words")}, headers=ada.bearer
    )
    database, job_id = app.container.database, UUID(sent.json()["job_id"])
    async with (
        database.system() as session
    ):  # as the one who writes events: the job's row, then the workspace's
        await session.execute(sa.update(Job).where(Job.id == job_id).values(event_seq=Job.event_seq))
        leaves = asyncio.create_task(post(app, "delete", ada, password=PASSWORD))
        await waits_for_a_lock(database)
        own = Workspace.id == UUID(ada.workspace_id)
        await session.execute(sa.update(Workspace).where(own).values(event_seq=Workspace.event_seq))
    assert (await leaves).status_code == 204


async def waits_for_a_lock(database: Database) -> None:
    waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for _ in range(400):
        async with database.system(read_only=True) as session:
            if await session.scalar(waiting):
                return
        await asyncio.sleep(0.05)
    raise AssertionError("nothing waited for a lock")


async def test_the_last_administrator_stays_while_others_are_there(app: RunningApp) -> None:
    admin = await register(app.client)
    await register(app.client, "bob@example.org")
    assert code_of(await post(app, "delete", admin, password=PASSWORD)) == (409, "conflict")


async def test_an_account_can_be_taken_along(app: RunningApp) -> None:
    ada = await register(app.client)
    await app.client.patch("/api/auth/me", json={"name": "Ada L."}, headers=ada.bearer)
    answer = await app.client.get("/api/auth/export", headers=ada.bearer)
    assert answer.headers["content-disposition"].startswith("attachment")
    data = answer.json()
    assert (data["account"]["email"], data["account"]["name"]) == (EMAIL, "Ada L.")
    assert [w["role"] for w in data["workspaces"]] == ["owner"]
    assert "argon2" not in answer.text


async def test_row_26_links_lead_where_the_operator_says(make_app: MakeApp, database_url: str) -> None:
    app = await make_app(database_url=database_url, public_url="https://transcribe.example.org")
    await register(app.client)
    statuses = []
    for host in ("evil.example", "203.0.113.7"):  # names of others are refused, addresses are nobody's
        answer = await app.client.post(
            "/api/auth/password/forgot", json={"email": EMAIL}, headers={"Host": host}
        )
        statuses.append(answer.status_code)
    assert statuses == [400, 202]
    link = link_in((await mails_to(app.container.database, EMAIL))[-1])
    assert link.startswith("https://transcribe.example.org/reset/")
