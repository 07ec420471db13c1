"""Rows 24, 25 and 53 of the threat table: what answers cost, whom a pause hits, what a name does to a mail."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

from app.models.mails import MailState
from app.services.identity.mailer import AN_HOUR, FolderMailer, MailBox, MailSender
from app.services.identity.outbox import enqueue_mail
from app.services.identity.recovery import FLOOR_SECONDS
from tests.fixtures.app import PASSWORD, MakeApp, RunningApp
from tests.fixtures.identity import register
from tests.fixtures.mails import mails_to

EMAIL = "ada@example.org"
NOBODY = "nobody@example.org"
PAIRS = 20


async def costs(
    ask: Callable[[str], Awaitable[httpx2.Response]], clock: Callable[[], float]
) -> tuple[float, float]:
    """Medians for the known and the unknown address, asked by turns, so that a busy machine slows both alike."""
    found: dict[str, list[float]] = {EMAIL: [], NOBODY: []}
    for turn in range(PAIRS):
        for email in (EMAIL, NOBODY) if turn % 2 else (NOBODY, EMAIL):
            began = clock()
            await ask(email)
            found[email].append(clock() - began)
    return statistics.median(found[EMAIL]), statistics.median(found[NOBODY])


async def test_row_24_a_sign_in_costs_the_same_whether_the_account_is_known(make_app: MakeApp) -> None:
    """Processor time: what an observer could measure without the noise of network and neighbours."""
    app = await make_app(lockout_failures=100)
    await register(app.client, EMAIL)
    bodies = set()

    async def sign_in(email: str) -> httpx2.Response:
        answer = await app.client.post("/api/auth/login", json={"email": email, "password": "wrong one " * 3})
        error = answer.json()["error"]
        bodies.add((answer.status_code, error["code"], error["message"]))
        return answer

    known, unknown = await costs(sign_in, time.process_time)
    assert len(bodies) == 1
    assert abs(known - unknown) < max(0.003, 0.15 * known), (known, unknown)


@pytest.mark.parametrize("path", ["password/forgot", "verify-email/resend"])
async def test_row_24_a_mail_is_asked_for_in_the_same_time_whether_it_is_sent(
    make_app: MakeApp, path: str
) -> None:
    """Both take the floor; what there is to do for a known address stays far below it."""
    app = await make_app()
    await register(app.client, EMAIL)
    answers = set()
    for email in (EMAIL, NOBODY, "not an address"):
        wall, work = time.monotonic(), time.process_time()
        answer = await app.client.post(f"/api/auth/{path}", json={"email": email})
        assert time.monotonic() - wall >= FLOOR_SECONDS
        assert time.process_time() - work < FLOOR_SECONDS / 2
        answers.add((answer.status_code, answer.text))
    assert len(answers) == 1


async def test_row_25_guessing_at_one_account_keeps_nobody_else_out(app: RunningApp) -> None:
    await register(app.client, "bob@example.org")
    guesses = [
        await app.client.post("/api/auth/login", json={"email": EMAIL, "password": f"a wrong guess {n}"})
        for n in range(6)
    ]
    assert guesses[-1].status_code == 429
    good = await app.client.post("/api/auth/login", json={"email": "bob@example.org", "password": PASSWORD})
    assert good.status_code == 200


async def test_row_53_a_name_with_line_breaks_makes_no_header(app: RunningApp, tmp_path: Path) -> None:
    ada = await register(app.client, EMAIL)
    path = f"/api/workspaces/{ada.workspace_id}"
    evil = "Minutes\r\nBcc: everybody@example.org\r\n\r\nClick here"
    renamed = await app.client.patch(path, json={"name": evil}, headers=ada.bearer)
    assert renamed.json()["name"] == "Minutes Bcc: everybody@example.org Click here"
    refused = await app.client.patch(path, json={"name": "Minutes\x00Bcc"}, headers=ada.bearer)
    assert refused.status_code == 422
    for email in ("eve@example.org\r\nBcc: all@example.org", "eve@example.org\nBcc:all@example.org"):
        answer = await app.client.post(f"{path}/invitations", json={"email": email}, headers=ada.bearer)
        assert answer.status_code == 422
    invited = await app.client.post(
        f"{path}/invitations", json={"email": "bob@example.org"}, headers=ada.bearer
    )
    assert invited.status_code == 201
    (mail,) = await mails_to(app.container.database, "bob@example.org")
    written = MailBox(FolderMailer(tmp_path), "noreply@example.org").message(mail)
    assert written["Bcc"] is None
    assert written.get_all("To") == ["bob@example.org"]
    assert "\n" not in str(written["Subject"])
    with pytest.raises(ValueError):
        MailBox(FolderMailer(tmp_path), "a@example.org\r\nBcc: b@example.org").message(mail)


async def test_row_53_nobody_is_flooded_with_mails_by_a_stranger(app: RunningApp, tmp_path: Path) -> None:
    box = MailBox(FolderMailer(tmp_path / "sent"), "noreply@example.org")
    async with app.container.database.system() as session:
        for n in range(AN_HOUR + 7):
            enqueue_mail(session, to=EMAIL, subject=f"No. {n}", body="Words.")
    await MailSender(app.container.database, box).run_once()
    states = [mail.state for mail in await mails_to(app.container.database, EMAIL)]
    assert (states.count(MailState.SENT), states.count(MailState.FAILED)) == (AN_HOUR, 7)


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    return await make_app(database_url=database_url, lockout_failures=3)
