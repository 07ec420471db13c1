"""The secret: given, made once, or refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigurationError
from app.core.secrets import SECRET_FILE, find_weakness, load_secret
from tests.fixtures.app import build_settings

STRONG = "wq3nq0Yx7m1c2Kp9Lh5vTz8RjD4sFbUe6XaGiOtN"


def load(data_dir: Path, **changes: Any) -> bytes:
    return load_secret(build_settings(data_dir, **changes))


def test_a_given_secret_is_taken_and_nothing_is_written(tmp_path: Path) -> None:
    for env in ("local", "test", "prod"):
        assert load(tmp_path / "data", env=env, jwt_secret_key=f" {STRONG}\n") == STRONG.encode()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_one_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = load(tmp_path / "data", env="local")

    assert load(tmp_path / "data", env="local") == first
    assert len(first) >= 32
    assert [file.name for file in (tmp_path / "data").iterdir()] == [SECRET_FILE]
    assert (tmp_path / "data" / SECRET_FILE).stat().st_mode & 0o777 == 0o600
    assert load(tmp_path / "other", env="local") != first


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        secrets = set(threads.map(lambda _: load(tmp_path / "data"), range(64)))

    assert len(secrets) == 1
    assert [file.name for file in (tmp_path / "data").iterdir()] == [SECRET_FILE]


@pytest.mark.parametrize("content", ["", "\n", "cut off"])
def test_a_damaged_file_is_not_taken_for_a_secret(tmp_path: Path, content: str) -> None:
    (tmp_path / SECRET_FILE).write_text(content)

    with pytest.raises(ConfigurationError, match="Delete it"):
        load(tmp_path)
    assert (tmp_path / SECRET_FILE).read_text() == content


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "abc123",
        "a" * 64,
        "0123" * 16,
        "change-me-change-me-change-me-0123456789",
        "my-very-secret-key-0123456789-abcdef",
    ],
)
def test_prod_refuses_a_missing_or_weak_secret_and_says_how_to_make_one(tmp_path: Path, weak: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, env="prod", jwt_secret_key=weak)

    assert "token_urlsafe" in str(caught.value)
    assert not weak or weak not in str(caught.value)
    assert not (tmp_path / SECRET_FILE).exists()


def test_local_takes_a_weak_one(tmp_path: Path) -> None:
    assert load(tmp_path, env="local", jwt_secret_key="dev") == b"dev"


def test_what_the_message_recommends_is_strong() -> None:
    assert find_weakness(STRONG) is None
