"""A forgotten password: the link of a mail, its token, and what ends with the old password."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.models import MailToken
from tests.fixtures.account import EMAIL, code_of, post, reset_token, sign_in
from tests.fixtures.app import PASSWORD, MakeApp, RunningApp
from tests.fixtures.identity import login, refresh, register
from tests.fixtures.mails import link_in, mails_to

NEW = "another long sentence 4 you"

pytestmark = pytest.mark.usefixtures("mail_stays")


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


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
