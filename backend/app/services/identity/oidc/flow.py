"""What a browser carries through a sign-in at the provider: sealed, short-lived, and good for one round."""

from __future__ import annotations

import binascii
import json
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cryptography.exceptions import InvalidTag

from app.core.security import Sealer
from app.services.identity.oidc.errors import Refusal, SignInRefusedError

ROUND_SECONDS = 600
FACTOR_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Round:
    """A way to the provider and back. `user_id` and `session_id` where the account that is signed in is to be linked."""

    state: str
    nonce: str
    verifier: str
    next: str
    expires_at: float
    user_id: str | None = None
    session_id: str | None = None
    kind: Literal["round"] = "round"


@dataclass(frozen=True, slots=True)
class Waiting:
    """The provider has vouched for the account; its second factor is still to come."""

    user_id: str
    next: str
    expires_at: float
    kind: Literal["waiting"] = "waiting"


class FlowCookie:
    """Seals either into a cookie's value. What was altered, is of another kind or too old is `flow_lost`."""

    def __init__(self, secret: bytes) -> None:
        self._sealer = Sealer(secret, "oidc-flow")

    def seal(self, flow: Round | Waiting) -> str:
        return self._sealer.seal(json.dumps(asdict(flow)))

    def round(self, value: str | None) -> Round:
        """Raises `SignInRefusedError`."""
        return Round(**self._open(value, "round"))

    def waiting(self, value: str | None) -> Waiting:
        """Raises `SignInRefusedError`."""
        return Waiting(**self._open(value, "waiting"))

    def _open(self, value: str | None, kind: str) -> dict[str, Any]:
        try:
            flow: dict[str, Any] = json.loads(self._sealer.unseal(value or ""))
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SignInRefusedError(Refusal.FLOW_LOST, "no cookie of ours") from error
        if flow["kind"] != kind or flow["expires_at"] < time.time():
            raise SignInRefusedError(Refusal.FLOW_LOST, "an old cookie")
        return flow


def new_round(next_path: str, *, user_id: str | None = None, session_id: str | None = None) -> Round:
    """256 random bits each for state, nonce and PKCE's verifier."""
    return Round(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        next=safe_path(next_path),
        expires_at=time.time() + ROUND_SECONDS,
        user_id=user_id,
        session_id=session_id,
    )


def safe_path(path: str | None) -> str:
    """A path of this site, never another address; `/` for everything else."""
    text = path or "/"
    plain = text.isprintable() and "\\" not in text and len(text) <= 1000
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"
