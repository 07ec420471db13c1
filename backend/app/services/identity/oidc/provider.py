"""The provider over the network: its discovery document and keys, kept for a while, and the trade of a code.

It is asked at the address that the operator configured and at those that its own document names, so that there is
nothing to guard against private addresses for.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx2
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.core.addresses import is_loopback
from app.core.config.oidc import OidcSettings
from app.services.identity.oidc.errors import Refusal, SignInRefusedError

SCOPE = "openid email profile"
KEEP_SECONDS = 3600.0
KEYS_AGAIN_SECONDS = 30.0  # a token with an unknown key has them fetched anew, but not more often than this
TIMEOUT_SECONDS = 15.0
MAX_BYTES = 1 << 20
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """One issuer and one client at it. Raises `SignInRefusedError` wherever the provider does not do its part."""

    def __init__(self, settings: OidcSettings) -> None:
        self.issuer = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret.get_secret_value()
        self._metadata: dict[str, Any] | None = None
        self._metadata_at = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._lock = asyncio.Lock()

    async def metadata(self) -> dict[str, Any]:
        """The discovery document, an hour old at most. It has to name this issuer, letter by letter."""
        async with self._lock:
            if self._metadata is None or time.monotonic() - self._metadata_at > KEEP_SECONDS:
                found = await self._get(get_well_known_url(self.issuer, external=True))
                if found.get("issuer") != self.issuer:
                    raise _unavailable(f"its document names the issuer {found.get('issuer')!r}")
                for name in _ENDPOINTS:
                    if not is_safe_address(found.get(name)):
                        raise _unavailable(f"its document has no usable {name}")
                self._metadata, self._metadata_at = found, time.monotonic()
            return self._metadata

    async def keys(self, kid: str | None) -> KeySet:
        """The provider's public keys; fetched anew where `kid` is none of them, as after a change of keys."""
        address = (await self.metadata())["jwks_uri"]
        async with self._lock:
            age = time.monotonic() - self._keys_at
            known = self._keys is not None and (kid is None or any(key.kid == kid for key in self._keys))
            if self._keys is None or age > KEEP_SECONDS or (not known and age > KEYS_AGAIN_SECONDS):
                found = await self._get(address)
                try:
                    self._keys = KeySet.import_key_set({"keys": list(found["keys"])})
                except (JoseError, KeyError, TypeError, ValueError) as error:
                    raise _unavailable(f"its keys cannot be read: {error!r}"[:200]) from error
                self._keys_at = time.monotonic()
            return self._keys

    async def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, verifier: str, fresh: bool
    ) -> str:
        """Where the browser goes; `fresh` has the provider ask who is there, whoever is signed in."""
        url: str = prepare_grant_uri(
            (await self.metadata())["authorization_endpoint"],
            self.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=SCOPE,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            prompt="select_account" if fresh else None,
        )
        return url

    async def exchange(self, code: str, *, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """The tokens for a code, which is good once."""
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = None
        if self._secret and "client_secret_basic" in methods:
            basic = httpx2.BasicAuth(_form_encoded(self.client_id), _form_encoded(self._secret))
        else:
            form["client_id"] = self.client_id
            if self._secret:
                form["client_secret"] = self._secret
        status, body = await self._ask("POST", metadata["token_endpoint"], data=form, auth=basic)
        if 400 <= status < 500:
            raise SignInRefusedError(Refusal.PROVIDER_REFUSED, f"code not taken: {body.get('error')!r}"[:200])
        if status != 200:
            raise _unavailable(f"status {status} for a code")
        return body

    async def _get(self, url: str) -> dict[str, Any]:
        status, body = await self._ask("GET", url)
        if status != 200:
            raise _unavailable(f"status {status} from {url}")
        return body

    async def _ask(self, method: str, url: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON. No redirect is followed: the secret goes to the address of the document only."""
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
                client.stream(method, url, headers={"Accept": "application/json"}, **options) as answer,
            ):
                data = b""
                async for block in answer.aiter_bytes():
                    data += block
                    if len(data) > MAX_BYTES:
                        raise _unavailable(f"more than {MAX_BYTES} bytes from {url}")
            body = httpx2.Response(answer.status_code, content=data).json() if data else {}
        except (httpx2.HTTPError, TimeoutError, ValueError, RecursionError) as error:
            raise _unavailable(f"{type(error).__name__} from {url}") from error
        if not isinstance(body, dict):
            raise _unavailable(f"no object from {url}")
        return answer.status_code, body


def is_safe_address(url: object) -> bool:
    """https, or http to this machine itself, where a provider is tried out."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def _form_encoded(text: str) -> str:
    """As RFC 6749, 2.3.1 wants both halves of the basic credentials."""
    return quote_plus(text)


def _unavailable(detail: str) -> SignInRefusedError:
    return SignInRefusedError(Refusal.PROVIDER_UNAVAILABLE, detail)
