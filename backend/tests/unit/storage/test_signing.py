"""Signed addresses: one changed letter, and they lead nowhere."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.core.clock import utcnow
from app.core.errors import ForbiddenError
from app.storage.signing import UrlSigner

SIGNER = UrlSigner(b"a" * 32, ttl_seconds=60)
PARAMETERS = {"size": "5", "name": "Zoë & Söhne «ää» =?#.mp3"}


def signed() -> tuple[str, dict[str, str]]:
    url = urlsplit(SIGNER.sign("PUT", "https://example.org/", "/api/store/x", PARAMETERS).url)
    assert (url.scheme, url.netloc, url.path) == ("https", "example.org", "/api/store/x")
    return url.path, dict(parse_qsl(url.query))


def test_what_was_signed_is_accepted() -> None:
    path, query = signed()
    SIGNER.verify("PUT", path, query)
    assert query["name"] == PARAMETERS["name"]


@pytest.mark.parametrize(
    ("method", "path", "changes"),
    [
        ("GET", None, {}),
        ("HEAD", None, {}),
        ("PUT", "/api/store/y", {}),
        ("PUT", None, {"size": "6"}),
        ("PUT", None, {"name": "b.mp3"}),
        ("PUT", None, {"expires": "99999999999"}),
        ("PUT", None, {"more": "1"}),
        ("PUT", None, {"signature": ""}),
        ("PUT", None, {"signature": "ä"}),
        ("PUT", None, {"signature": "A" * 43}),
    ],
)
def test_tampering(method: str, path: str | None, changes: dict[str, str]) -> None:
    good, query = signed()
    with pytest.raises(ForbiddenError, match="altered"):
        SIGNER.verify(method, path or good, query | changes)


@pytest.mark.parametrize("missing", ["size", "name", "expires", "signature"])
def test_missing_parameters(missing: str) -> None:
    path, query = signed()
    del query[missing]
    with pytest.raises(ForbiddenError):
        SIGNER.verify("PUT", path, query)


def test_another_key() -> None:
    path, query = signed()
    with pytest.raises(ForbiddenError):
        UrlSigner(b"b" * 32, ttl_seconds=60).verify("PUT", path, query)


def test_expiry() -> None:
    path, query = signed()
    SIGNER.verify("PUT", path, query, now=utcnow() + timedelta(seconds=59))
    with pytest.raises(ForbiddenError, match="expired"):
        SIGNER.verify("PUT", path, query, now=utcnow() + timedelta(seconds=62))
