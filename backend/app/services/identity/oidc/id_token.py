"""What an ID token says, once everything about it is right (OpenID Connect Core, 3.1.3.7)."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from app.core.errors import InvalidInputError
from app.services.identity.credentials import normalize_email
from app.services.identity.oidc.errors import Refusal, SignInRefusedError
from app.services.identity.oidc.provider import Provider

# Signatures by a private key only: a secret that both sides know, or none, proves nothing here.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY_SECONDS = 60
MAX_TOKEN = 32_768
MAX_SUBJECT = 255
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_REGISTRY = JWSRegistry(
    algorithms=list(ALGORITHMS), strict_check_header=False
)  # unknown fields are to be ignored
_KEYS_OF_ITS_OWN = ("jku", "jwk", "x5u", "x5c", "crit")


@dataclass(frozen=True, slots=True)
class ProviderUser:
    """Somebody as the provider knows them. `email` is None where the provider does not say that it is verified."""

    issuer: str
    subject: str
    email: str | None
    name: str


async def read_id_token(provider: Provider, tokens: dict[str, Any], *, nonce: str) -> ProviderUser:
    """Raises `SignInRefusedError` (token_invalid) for whatever is wrong with the token."""
    token = tokens.get("id_token")
    if not isinstance(token, str) or len(token) > MAX_TOKEN or not _COMPACT.fullmatch(token):
        raise _invalid("there is none")
    try:
        kid = _kid(token)
        keys = await provider.keys(kid)
        read = jwt.decode(token, keys, algorithms=list(ALGORITHMS), registry=_REGISTRY)
        claims = CodeIDToken(
            read.claims,
            read.header,
            options={
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
                "sub": {"essential": True},
                "exp": {"essential": True},
                "iat": {"essential": True},
                "nonce": {"essential": True, "value": nonce},
            },
            params={
                "nonce": nonce,
                "client_id": provider.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(leeway=LEEWAY_SECONDS)
        return _user(provider.issuer, claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _invalid(repr(error)[:200]) from error


def _kid(token: str) -> str | None:
    """Of the header, which nothing vouches for yet: it only chooses among the provider's own keys."""
    head = token.partition(".")[0]
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    if any(name in header for name in _KEYS_OF_ITS_OWN):
        raise ValueError("a header that brings a key of its own")
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise ValueError("a kid that is no text")
    return kid


def _user(issuer: str, claims: dict[str, Any]) -> ProviderUser:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
        raise ValueError("a subject that is no name")
    email = claims.get("email")
    name = claims.get("name")
    return ProviderUser(
        issuer,
        subject,
        _address(email) if isinstance(email, str) and claims.get("email_verified") is True else None,
        _display_name(name) if isinstance(name, str) else "",
    )


def _address(email: str) -> str | None:
    try:
        return normalize_email(email)
    except InvalidInputError:
        return None


def _display_name(name: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:200]


def _invalid(detail: str) -> SignInRefusedError:
    return SignInRefusedError(Refusal.TOKEN_INVALID, detail)
