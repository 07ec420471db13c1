"""Key derivation, opaque tokens and access tokens. The only module that knows python-jose."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jose import JOSEError, jwk, jwt

from app.core.clock import new_id
from app.core.errors import UnauthenticatedError

ISSUER = "transcribe"
AUDIENCE = "transcribe-api"
TOKEN_TYPE = "at+jwt"  # noqa: S105 (RFC 9068's name for access tokens, not a secret)
LEEWAY_SECONDS = 10

_COMPACT = re.compile(r"[A-Za-z0-9_-]{1,512}\.[A-Za-z0-9_-]{1,1024}\.[A-Za-z0-9_-]{1,128}")
_CLAIMS = {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}


def derive_key(secret: bytes, purpose: str, length: int = 32) -> bytes:
    """A key for one purpose only (HKDF-SHA256, RFC 5869): what leaks of one says nothing about another."""
    return HKDF(hashes.SHA256(), length, salt=b"transcribe", info=purpose.encode()).derive(secret)


def new_opaque_token() -> str:
    """256 random bits, URL-safe. Only its hash is ever stored."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """SHA-256 in hex: enough for tokens of 256 random bits, which nobody can guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def derive_token(key: bytes, parent: str) -> str:
    """The one successor of an opaque token: same parent, same child, unknown without the key."""
    digest = hmac.new(key, parent.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Sealer:
    """Keeps small secrets in the database: AES-256-GCM under a key for one purpose, a new nonce each time."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._purpose = purpose.encode()
        self._cipher = AESGCM(derive_key(secret, f"seal-{purpose}"))

    def seal(self, text: str) -> str:
        nonce = secrets.token_bytes(12)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), self._purpose)
        return base64.urlsafe_b64encode(sealed).decode()

    def unseal(self, sealed: str) -> str:
        """Raises cryptography's InvalidTag for what was altered, or sealed under another secret."""
        raw = base64.urlsafe_b64decode(sealed)
        return self._cipher.decrypt(raw[:12], raw[12:], self._purpose).decode()


def same_text(given: str, expected: str) -> bool:
    """Compares in constant time, whatever characters came in."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a valid access token says: who, and in which session."""

    user_id: UUID
    session_id: UUID


class AccessTokens:
    """Issues and verifies access tokens: one algorithm, one audience, every claim required.

    Symmetric keys only (python-jose's key confusion needs asymmetric ones); the key is looked up by `kid` in our
    own table, and every header field is compared, so that `crit`, `jku`, `jwk` or another `typ` are refused.
    """

    def __init__(self, secret: bytes, *, algorithm: str, lifetime_seconds: int) -> None:
        self.lifetime_seconds = lifetime_seconds
        self._algorithm = algorithm
        self._kid = derive_key(secret, "access-token-kid", 8).hex()
        self._keys = {self._kid: jwk.construct(derive_key(secret, "access-token", 64), algorithm)}

    def issue(self, user_id: UUID, session_id: UUID) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": new_id().hex,
            "iat": now,
            "exp": now + self.lifetime_seconds,
        }
        token: str = jwt.encode(
            claims,
            self._keys[self._kid],
            algorithm=self._algorithm,
            headers={"typ": TOKEN_TYPE, "kid": self._kid},
        )
        return token

    def verify(self, token: str) -> AccessClaims:
        """Raises `UnauthenticatedError` with one and the same sentence for whatever is wrong."""
        try:
            return self._verify(token)
        except (JOSEError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise UnauthenticatedError(SIGN_IN_AGAIN) from error

    def _verify(self, token: str) -> AccessClaims:
        if not _COMPACT.fullmatch(token):
            raise ValueError("not a compact token")
        for segment in token.split("."):
            padded = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
            if base64.urlsafe_b64encode(padded).rstrip(b"=").decode() != segment:
                raise ValueError("not canonical base64url")
        header = jwt.get_unverified_header(token)
        if header != {"alg": self._algorithm, "typ": TOKEN_TYPE, "kid": header["kid"]}:
            raise ValueError("unexpected header")
        claims = jwt.decode(
            token,
            self._keys[header["kid"]],
            algorithms=[self._algorithm],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={
                **dict.fromkeys(("require_exp", "require_iat", "require_sub", "require_aud"), True),
                **dict.fromkeys(("require_iss", "require_jti"), True),
                "leeway": LEEWAY_SECONDS,
            },
        )
        if set(claims) != _CLAIMS or claims["aud"] != AUDIENCE or claims["iss"] != ISSUER:
            raise ValueError("unexpected claims")
        issued, expires = claims["iat"], claims["exp"]
        if type(issued) is not int or type(expires) is not int:
            raise ValueError("times are whole seconds")
        if issued > time.time() + LEEWAY_SECONDS or not 0 < expires - issued <= self.lifetime_seconds:
            raise ValueError("times that this server does not give")
        return AccessClaims(UUID(claims["sub"]), UUID(claims["sid"]))


SIGN_IN_AGAIN = "Sign in again: this access token is missing, expired or not valid."
