"""Fixtures live in importable modules under tests/fixtures; this file only names them."""

from __future__ import annotations

import gc

pytest_plugins = (
    "tests.fixtures.postgres",
    "tests.fixtures.database",
    "tests.fixtures.app",
    "tests.fixtures.account",
    "tests.fixtures.seeds",
    "tests.fixtures.hub",
    "tests.fixtures.server",
    "tests.fixtures.providers",
    "tests.fixtures.cli",
    "tests.fixtures.ministack",
    "tests.fixtures.redis",
    "tests.fixtures.site",
    "tests.fixtures.workers",
    "tests.fixtures.receiver",
    "tests.fixtures.webhooks",
    "tests.fixtures.oidc",
)


def pytest_collection_finish() -> None:
    """What collecting made stays to the end, and need not be looked through again and again."""
    gc.freeze()
