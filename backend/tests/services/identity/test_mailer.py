"""Mail over a real connection: encrypted, signed in, tried again, given up where it can never arrive."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from app.core.config import MailSettings
from app.db.session import Database
from app.models.mails import Mail, MailState
from app.services.identity.mailer import MailBox, MailSender, SmtpMailer
from tests.fixtures.server import free_port
from tests.fixtures.smtp import SECRET, USER, Inbox, mail_server, write_certificate

SENDER = "Transcribe <no-reply@example.org>"


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that this process trusts."""
    path = write_certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def sender(database: Database, port: int, security: str, password: str = SECRET) -> MailSender:
    settings = MailSettings(
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_username="" if security == "none" else USER,
        smtp_password=SecretStr(password),
        smtp_security=security,
    )
    return MailSender(database, MailBox(SmtpMailer(settings), SENDER))


async def write_mail(database: Database, to: str = "ada@example.org") -> None:
    async with database.system() as session:
        session.add(Mail(to=to, subject="Reset your password — now", body="https://box.local/reset/abc\n"))


async def the_mail(database: Database) -> Mail:
    async with database.system(read_only=True) as session:
        return (await session.execute(sa.select(Mail))).scalar_one()


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
async def test_a_mail_arrives_once_and_its_text_is_kept_no_longer(
    security: str, database: Database, certificate: Path
) -> None:
    await write_mail(database)
    inbox = Inbox()

    with mail_server(inbox, security, certificate) as port:
        assert await sender(database, port, security).run_once() == 1
        assert await sender(database, port, security).run_once() == 0

    [envelope] = inbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@example.org", ["ada@example.org"])
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert message["Subject"] == "Reset your password — now"
    assert "https://box.local/reset/abc" in message.get_content()
    mail = await the_mail(database)
    assert (mail.state, mail.body) == (MailState.SENT, "")


async def test_a_mailbox_that_does_not_exist_is_given_up_at_once(
    database: Database, certificate: Path
) -> None:
    await write_mail(database)

    with mail_server(Inbox(refused=frozenset({"ada@example.org"})), "none", certificate) as port:
        assert await sender(database, port, "none").run_once() == 0

    assert (await the_mail(database)).state == MailState.FAILED


@pytest.mark.parametrize("trouble", ["nobody listens", "wrong password", "unknown certificate"])
async def test_what_may_pass_is_tried_again_later(
    trouble: str, database: Database, certificate: Path, tmp_path: Path
) -> None:
    await write_mail(database)
    inbox = Inbox()
    shown = write_certificate(tmp_path / "other.pem") if trouble == "unknown certificate" else certificate

    with mail_server(inbox, "starttls", shown) as port:
        target = free_port() if trouble == "nobody listens" else port
        password = "guessed" if trouble == "wrong password" else SECRET
        assert await sender(database, target, "starttls", password).run_once() == 0

    mail = await the_mail(database)
    assert (mail.state, mail.attempts, inbox.envelopes) == (MailState.PENDING, 1, [])
    assert mail.run_after > mail.created_at
    assert mail.body  # it waits whole
