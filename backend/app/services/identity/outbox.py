"""Mail leaves through a table: written with what causes it, sent afterwards, again and again until it works."""

from __future__ import annotations

from app.db.session import SystemSession, TenantSession
from app.models.mails import Mail


def enqueue_mail(session: TenantSession | SystemSession, *, to: str, subject: str, body: str) -> None:
    """A mail in plain text, once this transaction has committed. `subject` is one line."""
    session.add(Mail(to=to, subject=" ".join(subject.split()), body=body))
