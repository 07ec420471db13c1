"""The one secret from which all keys derive: given by the environment, or made once beside the data."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from app.core.config import Environment, Settings
from app.core.errors import ConfigurationError
from app.core.logging import get_logger

log = get_logger(__name__)

SECRET_FILE = "secret.key"  # noqa: S105 (a file name)
MIN_BYTES = 32
_PLACEHOLDERS = ("change", "secret", "example", "password", "your-", "todo", "xxxx")
_HOW_TO_MAKE_ONE = (
    "Make one with `python3 -c 'import secrets; print(secrets.token_urlsafe(48))'` and keep it: "
    "a new one signs everybody out."
)


def load_secret(settings: Settings) -> bytes:
    """JWT_SECRET_KEY, else DATA_DIR/secret.key, which is made at the first start (never in prod).

    Raises `ConfigurationError` where prod has none or a weak one.
    """
    given = settings.identity.jwt_secret_key.get_secret_value().strip()
    production = settings.server.env is Environment.PROD
    if not given:
        if production:
            raise ConfigurationError(f"ENV=prod needs JWT_SECRET_KEY. {_HOW_TO_MAKE_ONE}")
        return _read_or_make(settings.server.data_dir / SECRET_FILE)
    weakness = find_weakness(given)
    if weakness and production:
        raise ConfigurationError(f"JWT_SECRET_KEY {weakness}. {_HOW_TO_MAKE_ONE}")
    if weakness:
        log.warning("weak_secret", reason=f"JWT_SECRET_KEY {weakness}; ENV=prod will refuse it")
    return given.encode()


def find_weakness(secret: str) -> str | None:
    """Why a secret is not one, as the end of a sentence; None where nothing speaks against it."""
    if len(secret.encode()) < MIN_BYTES:
        return f"is shorter than {MIN_BYTES} bytes"
    if len(set(secret)) < 12:
        return "repeats the same few characters"
    lowered = secret.lower()
    if any(word in lowered for word in _PLACEHOLDERS):
        return "looks like a placeholder"
    return None


def _read_or_make(path: Path) -> bytes:
    """Safe when two processes start at once: the file appears whole, and the first one wins."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with open(draft, "x", encoding="ascii", opener=_owner_only) as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
                log.info("secret_made", path=str(path))
        finally:
            draft.unlink()
    secret = path.read_bytes().strip()
    if len(secret) < MIN_BYTES:
        raise ConfigurationError(
            f"{path} holds no usable secret. Delete it and start again: everybody is then signed out."
        )
    return secret


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
