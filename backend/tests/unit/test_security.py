"""Derived keys, opaque tokens and access tokens, without a server."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from app.core.errors import UnauthenticatedError
from app.core.security import AccessTokens, derive_key, derive_token, hash_token, new_opaque_token, same_text

SECRET = b"a secret of this test only, 0123456789"


def test_keys_differ_by_purpose_secret_and_nothing_else() -> None:
    keys = {derive_key(SECRET, "one"), derive_key(SECRET, "two"), derive_key(b"another", "one")}

    assert len(keys) == 3
    assert derive_key(SECRET, "one") in keys
    assert {len(key) for key in keys} == {32}


def test_a_derived_key_never_changes() -> None:
    """Signed URLs, refresh tokens and setup tokens of running servers depend on it."""
    assert derive_key(SECRET, "storage-url").hex() == (
        "e33217bb1bddce1dfadee8e4c7d2d41ce6b9939a5af4b4b7f78e4fdd929cba22"
    )


def test_opaque_tokens_hold_256_bits_and_are_kept_as_hashes() -> None:
    tokens = {new_opaque_token() for _ in range(100)}

    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}
    assert {len(hash_token(token)) for token in tokens} == {64}


def test_a_parent_has_one_child_and_it_takes_the_key_to_know_it() -> None:
    parent = new_opaque_token()

    child = derive_token(b"k" * 32, parent)

    assert child == derive_token(b"k" * 32, parent)
    assert child not in (derive_token(b"l" * 32, parent), derive_token(b"k" * 32, child), parent)
    assert len(child) == 43


@pytest.mark.parametrize(("given", "same"), [("abc", True), ("abd", False), ("", False), ("é\ud800", False)])
def test_same_text(given: str, same: bool) -> None:
    assert same_text(given, "abc") is same


def test_access_tokens_name_user_and_session_and_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    user, session = uuid4(), uuid4()
    tokens = AccessTokens(SECRET, algorithm="HS256", lifetime_seconds=600)

    claims = tokens.verify(tokens.issue(user, session))
    assert (claims.user_id, claims.session_id) == (user, session)

    began = time.time()
    for seconds, good in ((-605, True), (-625, False)):
        with monkeypatch.context() as patch:
            patch.setattr("app.core.security.time.time", lambda seconds=seconds: began + seconds)
            token = tokens.issue(user, session)
        if good:
            tokens.verify(token)
        else:
            with pytest.raises(UnauthenticatedError):
                tokens.verify(token)


def test_row_21_tokens_of_another_secret_or_life_are_refused() -> None:
    tokens = AccessTokens(SECRET, algorithm="HS256", lifetime_seconds=600)
    others = [
        AccessTokens(b"another", algorithm="HS256", lifetime_seconds=600),
        AccessTokens(SECRET, algorithm="HS512", lifetime_seconds=600),
        AccessTokens(SECRET, algorithm="HS256", lifetime_seconds=601),
    ]
    for other in others:
        with pytest.raises(UnauthenticatedError):
            tokens.verify(other.issue(uuid4(), uuid4()))
