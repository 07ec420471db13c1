"""The second factor: its codes, its backup codes, and how it comes and goes."""

from __future__ import annotations

import asyncio
import time

import pytest
import sqlalchemy as sa

from app.models import User
from tests.fixtures.account import EMAIL, code_of, enable_totp, post, sign_in
from tests.fixtures.app import PASSWORD, MakeApp, RunningApp
from tests.fixtures.identity import register

pytestmark = pytest.mark.usefixtures("mail_stays")


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, transcription_backend="stub")


async def test_the_second_factor_is_asked_for_once_the_password_was_right(app: RunningApp) -> None:
    ada = await register(app.client)
    totp, codes = await enable_totp(app, ada)
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
    totp, _ = await enable_totp(app, ada)
    code = totp.now()
    answers = await asyncio.gather(*(sign_in(app, code=code) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers).count(200) == 1
    assert code_of(await sign_in(app, code=code)) == (401, "totp_invalid")
    assert code_of(await sign_in(app, code=totp.at(time.time() - 30))) == (401, "totp_invalid")


async def test_backup_codes_stand_in_once_each_and_can_be_renewed(app: RunningApp) -> None:
    ada = await register(app.client)
    totp, codes = await enable_totp(app, ada)
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
    _, codes = await enable_totp(app, ada)
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
