"""Signed addresses of the local store: an HMAC over the method, the path and every parameter."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from app.core.clock import utcnow
from app.core.errors import ForbiddenError
from app.storage.base import SignedUrl


class UrlSigner:
    """`key` is derived for this purpose alone; `ttl_seconds` is the life of an address."""

    def __init__(self, key: bytes, *, ttl_seconds: int) -> None:
        self._key = key
        self._ttl = timedelta(seconds=ttl_seconds)

    def sign(
        self,
        method: str,
        base_url: str,
        path: str,
        parameters: Mapping[str, str],
        *,
        at_most: int | None = None,
    ) -> SignedUrl:
        """`path` begins with a slash and is plain ASCII. The time is cut to whole seconds, upwards.

        `at_most`: seconds, where the address must end earlier than others.
        """
        life = self._ttl if at_most is None else min(self._ttl, timedelta(seconds=at_most))
        expires_at = (utcnow() + life + timedelta(seconds=1)).replace(microsecond=0)
        signed = {**parameters, "expires": str(int(expires_at.timestamp()))}
        query = urlencode({**signed, "signature": self._signature(method, path, signed)}, quote_via=quote)
        return SignedUrl(f"{base_url.rstrip('/')}{path}?{query}", expires_at)

    def verify(
        self, method: str, path: str, parameters: Mapping[str, str], *, now: datetime | None = None
    ) -> None:
        """Raises `ForbiddenError` for an altered or expired address. HEAD goes wherever GET goes."""
        signed = {name: value for name, value in parameters.items() if name != "signature"}
        expected = self._signature("GET" if method == "HEAD" else method, path, signed)
        if not hmac.compare_digest(expected.encode(), parameters.get("signature", "").encode()):
            raise ForbiddenError("This address was altered, or is not one of ours.")
        if (now or utcnow()).timestamp() >= int(signed["expires"]):
            raise ForbiddenError("This address has expired. Ask for a new one.")

    @staticmethod
    def seconds_left(expires: str) -> int:
        """How long an address that was verified is still good."""
        return max(0, int(int(expires) - utcnow().timestamp()))

    def _signature(self, method: str, path: str, parameters: Mapping[str, str]) -> str:
        message = json.dumps([method, path, sorted(parameters.items())], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, message, hashlib.sha256)).rstrip(b"=").decode()
