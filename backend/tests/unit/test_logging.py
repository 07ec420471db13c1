"""What must never stand in a log line."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from app.core.logging import configure_logging, get_logger


@pytest.fixture
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
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
