"""Sends what waits in the outbox: by SMTP, or into a folder where no mail server is set."""

from __future__ import annotations

import asyncio
import os
import random
import ssl
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

import aiosmtplib
import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.config import MailSettings, Settings
from app.core.failpoints import reached
from app.core.logging import get_logger
from app.db.session import Database, SystemSession
from app.models.mails import Mail, MailState

log = get_logger(__name__)

EVERY_SECONDS = 15.0
MAX_ATTEMPTS = 12  # with the pauses below: about a day
AN_HOUR = 5  # mails to one address
_BATCH = 20
_LEASE = timedelta(minutes=2)
_TIMEOUT = 20.0


class Mailer(Protocol):
    """Hands one message over, or raises OSError or an SMTP error."""

    async def send(self, message: EmailMessage) -> None: ...


class SmtpMailer:
    """A mail server, with STARTTLS or TLS unless it is said otherwise."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings

    async def send(self, message: EmailMessage) -> None:
        settings = self._settings
        await aiosmtplib.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username or None,
            password=settings.smtp_password.get_secret_value() or None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            tls_context=None if settings.smtp_security == "none" else ssl.create_default_context(),
            timeout=_TIMEOUT,
        )


class FolderMailer:
    """For development: each mail becomes a file, and the log says where it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage) -> None:
        path = await asyncio.to_thread(self._write, message)
        log.info("mail_written", path=str(path), subject=str(message["Subject"]))

    def _write(self, message: EmailMessage) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{utcnow():%Y%m%dT%H%M%S%f}.eml"
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(bytes(message))
        return path


def build_mailer(settings: Settings) -> MailBox:
    """The way out that the settings name, and who the mails are from."""
    host = urlsplit(settings.page_url).hostname or "localhost"
    sender = settings.mail.mail_from or f"Transcribe <no-reply@{host}>"
    if settings.sends_mail:
        return MailBox(SmtpMailer(settings.mail), sender)
    return MailBox(FolderMailer(settings.server.data_dir / "mails"), sender)


@dataclass(frozen=True, slots=True)
class MailBox:
    """A mailer and the sender of its messages."""

    mailer: Mailer
    sender: str

    def message(self, mail: Mail) -> EmailMessage:
        """Headers go through the standard library, which refuses line breaks in them."""
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(mail.created_at)
        message["Message-ID"] = make_msgid(
            str(mail.id), domain=parseaddr(self.sender)[1].rpartition("@")[2] or "localhost"
        )
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.body)
        return message


@dataclass(frozen=True, slots=True)
class MailSender:
    """Works through the outbox. Safe in every process at once: each mail is taken by one compare-and-set."""

    database: Database
    box: MailBox

    async def run_once(self) -> int:
        """Answers how many were sent."""
        sent = 0
        while (mail := await self._take()) is not None:
            sent += await self._send(mail)
        return sent

    async def _take(self) -> Mail | None:
        """The next one that is due, held for as long as sending may take."""
        async with self.database.system() as session:
            now = await session.database_now()
            due = sa.select(Mail.id).where(Mail.state == MailState.PENDING, Mail.run_after <= now)
            candidate = due.order_by(Mail.run_after, Mail.id).limit(1).with_for_update(skip_locked=True)
            taken = await session.execute(
                sa.update(Mail)
                .where(Mail.id == candidate.scalar_subquery(), Mail.state == MailState.PENDING)
                .values(run_after=now + _LEASE, attempts=Mail.attempts + 1)
                .returning(Mail)
                .execution_options(synchronize_session=False, populate_existing=True)
            )
            mail = taken.scalar_one_or_none()
            if mail is not None and await self._is_too_much(session, mail):
                mail.state, mail.body, mail.error = MailState.FAILED, "", "too many mails to this address"
                log.warning("mail_dropped", mail_id=str(mail.id), reason=mail.error)
            return mail

    async def _is_too_much(self, session: SystemSession, mail: Mail) -> bool:
        """At most AN_HOUR to one address, so that nobody is flooded through us."""
        since = utcnow() - timedelta(hours=1)
        recent = await session.scalar(
            sa.select(sa.func.count())
            .select_from(Mail)
            .where(Mail.to == mail.to, Mail.state == MailState.SENT, Mail.sent_at > since)
        )
        return int(recent or 0) >= AN_HOUR

    async def _send(self, mail: Mail) -> bool:
        if mail.state != MailState.PENDING:
            return False
        try:
            async with asyncio.timeout(_LEASE.total_seconds() / 2):
                reached("mail.before")
                await self.box.mailer.send(self.box.message(mail))
                reached("mail.after")
        except (OSError, aiosmtplib.SMTPException, ValueError) as error:  # TimeoutError is an OSError
            await self._failed(mail, error)
            return False
        await self._note(mail.id, state=MailState.SENT, sent_at=utcnow(), body="", error=None)
        return True

    async def _failed(self, mail: Mail, error: Exception) -> None:
        broken = isinstance(error, ValueError) and not isinstance(error, ssl.SSLError)  # which is one, too
        refused = broken or isinstance(error, aiosmtplib.SMTPRecipientsRefused)
        text = f"{type(error).__name__}: {error}"[:300]
        if refused or mail.attempts >= MAX_ATTEMPTS:
            log.error("mail_given_up", mail_id=str(mail.id), error=text)
            await self._note(mail.id, state=MailState.FAILED, body="", error=text)
            return
        pause = min(3 * 3600, 15 * 3 ** (mail.attempts - 1)) * random.uniform(0.8, 1.2)  # noqa: S311 (jitter)
        log.warning("mail_waits", mail_id=str(mail.id), error=text, seconds=round(pause))
        await self._note(mail.id, run_after=utcnow() + timedelta(seconds=pause), error=text)

    async def _note(self, mail_id: UUID, **values: object) -> None:
        async with self.database.system() as session:
            await session.execute(sa.update(Mail).where(Mail.id == mail_id).values(**values))
