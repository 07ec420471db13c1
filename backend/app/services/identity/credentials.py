"""What an address, a name and a new password must look like."""

from __future__ import annotations

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from app.core.errors import InvalidInputError
from app.core.passwords import MAX_PASSWORD_BYTES, normalize_password
from app.services.identity.guessable import is_guessable

MAX_EMAIL = 254
MAX_NAME = 200
# The library's own switch: `me@box.local` and `ada@team.test` are fine addresses in a home network.
SPECIAL_USE_DOMAIN_NAMES.clear()


def normalize_email(email: str) -> str:
    """Trimmed and case-folded, as it is kept and compared. Raises `InvalidInputError` (field email).

    Syntax only: nobody asks a name server.
    """
    text = email.strip()
    try:
        if len(text) > MAX_EMAIL:
            raise EmailNotValidError("It is too long.")
        checked = validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise InvalidInputError(f"This is not an e-mail address: {error}", field="email") from error
    return checked.normalized.casefold()


def normalize_name(name: str | None) -> str:
    """A name for display, in any script. Raises `InvalidInputError` for control characters."""
    text = (name or "").strip()
    if len(text) > MAX_NAME or not text.replace(" ", "").isprintable():
        raise InvalidInputError(f"A name has at most {MAX_NAME} printable characters.", field="name")
    return text


def check_new_password(password: str, email: str, min_length: int, *, field: str = "password") -> None:
    """Length, and not one of those that everybody tries; no composition rules (NIST SP 800-63B, 5.1.1.2).

    Raises `InvalidInputError`; the sentence never repeats the password.
    """
    text = normalize_password(password)
    if len(text) < min_length:
        raise InvalidInputError(f"A password has at least {min_length} characters.", field=field)
    if len(text.encode("utf-8", "replace")) > MAX_PASSWORD_BYTES:
        raise InvalidInputError(f"A password has at most {MAX_PASSWORD_BYTES} bytes.", field=field)
    if text.casefold() == email.casefold():
        raise InvalidInputError("The address itself is no password.", field=field)
    if is_guessable(text, email):
        raise InvalidInputError("This password is one of the first that attackers try.", field=field)
