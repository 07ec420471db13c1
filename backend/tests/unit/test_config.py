"""Settings: what a value may be, where it comes from, and that its documents are current."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from pydantic import ValidationError

from app.cli.settings import load_settings
from app.core.config import GROUPS, PROJECT_ROOT, Settings
from scripts import config_docs
from tests.fixtures.app import build_settings


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for group in GROUPS.values():
        for name in group.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)


def test_every_variable_is_described_and_belongs_to_one_group() -> None:
    names = [name for group in GROUPS.values() for name in group.model_fields]
    assert len(names) == len(set(names))
    for group in GROUPS.values():
        assert config_docs.summary(group)
        for name, field in group.model_fields.items():
            assert field.description, name
            assert field.description.endswith("."), name


def test_documents_are_current() -> None:
    assert config_docs.stale() == [], "run `make config-docs`"


def test_the_example_gives_the_defaults(tmp_path: Path) -> None:
    """Somebody who takes away every # gets what the code does without a file."""
    file = tmp_path / ".env"
    lines = (PROJECT_ROOT / ".env.example").read_text("utf-8").splitlines()
    values = [line.removeprefix("#") for line in lines if line.startswith("#") and line[1:2].isupper()]
    file.write_text("\n".join(values), "utf-8")
    assert len(values) == sum(len(group.model_fields) for group in GROUPS.values())
    assert Settings.load(file) == Settings.load(None)


def test_the_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=1234\nHOST=0.0.0.0\n", "utf-8")
    monkeypatch.setenv("PORT", "4321")
    loaded = Settings.load(file)
    assert (loaded.server.port, loaded.server.host) == (4321, "0.0.0.0")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_PARALLEL_TRANSCRIPTIONS", "")
    assert Settings.load(None).speech.max_parallel_transcriptions == 3


def test_the_owners_defaults() -> None:
    loaded = Settings.load(None)
    assert loaded.server.data_dir == PROJECT_ROOT / "data"
    assert (loaded.server.host, loaded.server.port) == ("127.0.0.1", 8000)
    assert loaded.speech.max_parallel_transcriptions == 3
    assert loaded.speech.whisper_model == "base-q8_0"
    assert loaded.identity.password_min_length == 12
    assert loaded.identity.access_token_expire_minutes == 10


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("postgresql://u:p@h/n", "postgresql+asyncpg://u:p@h/n"),
        ("postgres://u:p@h/n", "postgresql+asyncpg://u:p@h/n"),
        ("postgresql+asyncpg://u@h/n", "postgresql+asyncpg://u@h/n"),
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite:///x.db"),
    ],
)
def test_plain_database_urls_are_understood(tmp_path: Path, given: str, url: str) -> None:
    assert build_settings(tmp_path, database_url=given).database_url == url


def test_without_a_url_the_database_lies_in_the_data_folder(tmp_path: Path) -> None:
    assert build_settings(tmp_path).database_url == f"sqlite+aiosqlite:///{tmp_path / 'transcribe.db'}"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.10", False),
        ("example.org", False),
    ],
)
def test_loopback_is_told_from_the_network(tmp_path: Path, host: str, loopback: bool) -> None:
    assert build_settings(tmp_path, host=host).server.listens_on_loopback is loopback


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("env", "staging"),
        ("port", "0"),
        ("jwt_algorithm", "none"),
        ("jwt_algorithm", "RS256"),
        ("password_min_length", "4"),
        ("public_url", "transcribe.example.org"),
        ("engines", "whisper_cpp,guesswork"),
        ("transcription_backend", "guesswork"),
        ("max_parallel_transcriptions", "0"),
    ],
)
def test_values_that_do_not_fit_are_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name.upper(), value)
    with pytest.raises(ValidationError, match=name):
        Settings.load(None)


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example ,")
    assert Settings.load(None).server.cors_origins == ("https://a.example", "https://b.example")


def test_secrets_do_not_show(tmp_path: Path) -> None:
    assert "hush" not in repr(build_settings(tmp_path, jwt_secret_key="hush" * 10))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("EXECUTOR", "foo", "EXECUTOR: must be one of inprocess, database, celery (got 'foo')"),
        ("REDIS_URL", "foo", "REDIS_URL: must begin with redis://"),
    ],
)
def test_a_command_says_in_a_sentence_what_a_variable_must_be(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(typer.Exit) as stopped:
        load_settings()
    assert stopped.value.exit_code == 2
    assert capsys.readouterr().err.startswith(sentence)
