"""What shows that somebody gave a link's password: a signed note that ends with time and with the password."""

from __future__ import annotations

import hashlib
import hmac
import time
from uuid import UUID

from app.core.security import same_text

UNLOCKED_SECONDS = 12 * 3600


def lock_of(password_hash: str | None) -> str | None:
    """Names a password without telling its hash; another with each change."""
    return None if password_hash is None else hashlib.sha256(password_hash.encode()).hexdigest()[:16]


def make_proof(key: bytes, link_id: UUID, lock: str) -> str:
    """Good for this link, this password and twelve hours."""
    until = int(time.time()) + UNLOCKED_SECONDS
    return f"{until}.{_mac(key, link_id, lock, until)}"


def is_proof(key: bytes, proof: str | None, link_id: UUID, lock: str) -> bool:
    """Whether `proof` was made here, for this, and has not run out."""
    until, _, mac = (proof or "").partition(".")
    if not (until.isascii() and until.isdigit() and len(until) <= 12):
        return False
    fits = same_text(mac, _mac(key, link_id, lock, int(until)))
    return fits and int(until) > time.time()


def _mac(key: bytes, link_id: UUID, lock: str, until: int) -> str:
    return hmac.new(key, f"{link_id}|{lock}|{until}".encode(), hashlib.sha256).hexdigest()
