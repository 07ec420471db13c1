"""A verified address: what an account can do before, and which links prove it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.account import EMAIL, code_of, post, sign_in
from tests.fixtures.app import PASSWORD, MakeApp, RunningApp
from tests.fixtures.identity import Person, register
from tests.fixtures.mails import mails_to, token_in

pytestmark = pytest.mark.usefixtures("mail_stays")


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


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
        answer = await post(
            careful, "register", email=email, password="another long sentence", invitation_token=shown
        )
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
