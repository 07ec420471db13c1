"""What must never stand in a log line."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from app.core.logging import configure_logging, get_logger
from app.core.redaction import clean


@pytest.fixture
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    ours = logging.getLogger("app")
    our_level = ours.level
    yield
    ours.setLevel(our_level)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.usefixtures("_restore_logging")
def test_tracebacks_hold_no_local_variables(monkeypatch: pytest.MonkeyPatch, log_format: str) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging(log_format, "INFO")

    def fail() -> None:
        password = "-".join(["never", "to", "be", "seen"])
        raise RuntimeError(f"a password of {len(password)} characters")

    try:
        fail()
    except RuntimeError as error:
        get_logger("test").error("broken", exc_info=error)

    assert "a password of 16 characters" in stream.getvalue()
    assert "never-to-be-seen" not in stream.getvalue()


TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLW9mLWFkYQ"
RANDOM = "Zk3-canary_Qw81xYp0Lr7TtUv4MmNnBb29Aa55"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {RANDOM}",
        f"a token {TOKEN} in a sentence",
        f"https://store.example/b/k?X-Amz-Signature={RANDOM}&X-Amz-Date=1",
        f"GET /api/store/objects/w/1?expires=1&signature={RANDOM}",
        f'127.0.0.1:5 - "WebSocket /ws/jobs/1?ticket={RANDOM}" [accepted]',
        f"https://t.example/reset-password?token={RANDOM}",
        f"/api/shares/{RANDOM}/result",
        f"https://t.example/s/{RANDOM}",
        f"transcribe_refresh={RANDOM}; Path=/api/auth",
        f"redis://:{RANDOM}@cache:6379/0 does not answer",
        f"postgresql+asyncpg://u:{RANDOM}@db/t",
        "key tr_0123456789abcdefghijCANARY0123456789abcdef was refused",
        "Incorrect API key provided: sk-proj-CANARY0123456789abcdef",
        f"{{'password': '{RANDOM}', 'x': 1}}",
        f'{{"refresh_token": "{RANDOM}"}}',
    ],
)
@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.usefixtures("_restore_logging")
def test_row_48_secrets_do_not_come_in_by_detours(
    monkeypatch: pytest.MonkeyPatch, log_format: str, text: str
) -> None:
    """In the event, in a field, in a list, in a library's message, in an exception and its cause."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging(log_format, "INFO")
    get_logger("app.test").info(text, error=text, many=[text, {"inner": text}])
    logging.getLogger("library").warning("said %s", text)
    try:
        try:
            raise ValueError(text)
        except ValueError as cause:
            raise RuntimeError(text) from cause
    except RuntimeError as error:
        get_logger("app.test").error("broke", exc_info=error)

    logged = stream.getvalue()
    assert logged.count("[redacted]") >= 7
    for secret in (RANDOM, TOKEN, "CANARY"):
        assert secret not in logged


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.usefixtures("_restore_logging")
def test_row_48_fields_with_words_and_secrets_are_hidden(
    monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging(log_format, "INFO")
    get_logger("app.test").info(
        "event", text="canary one", password="canary two", request={"Authorization": "canary three"}
    )
    get_logger("app.test").info("setup", setup_token="SHOWN", path="/api/jobs/0198", took_ms=3)
    assert "canary" not in stream.getvalue()
    assert "SHOWN" in stream.getvalue()
    assert "/api/jobs/0198" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.usefixtures("_restore_logging")
def test_row_48_nobody_writes_lines_or_colours_of_their_own(
    monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging(log_format, "INFO")
    hostile = "a\x1b[2Jb\r\n2026-11-28 [info] forged\x9b31m"
    get_logger("app.test").info(hostile, path=hostile)
    logging.getLogger("library").warning(hostile)
    logged = stream.getvalue()
    assert not {"\x1b", "\x9b", "\r"} & set(logged)
    assert logged.count("\n") == 2


def test_what_is_no_secret_stays() -> None:
    for text in (
        "GET /api/jobs/0198c0de-0000-7000-8000-000000000000 200",
        "there is no token in this sentence",
        "tokens: 512, passwords are hashed",
        "https://example.org/page",
        "model base-q8_0 downloaded",
    ):
        assert clean(text) == text


@pytest.mark.usefixtures("_restore_logging")
def test_libraries_stay_quiet_at_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore, websockets and the providers' SDKs say headers, keys and frames there."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging("json", "DEBUG")
    get_logger("app.test").debug("ours")
    logging.getLogger("botocore.auth").debug("theirs")
    assert "ours" in stream.getvalue()
    assert "theirs" not in stream.getvalue()
