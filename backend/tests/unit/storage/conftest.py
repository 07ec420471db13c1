"""A local store in the test's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.clock import new_id
from app.storage.keys import object_key
from app.storage.local import LocalStore
from app.storage.signing import UrlSigner


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "storage", UrlSigner(b"k" * 32, ttl_seconds=60))


@pytest.fixture
def key() -> str:
    return object_key(new_id(), new_id(), "original")
