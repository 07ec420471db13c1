"""Structured logs: JSON lines in production, readable ones on a terminal, with request, workspace and job ids."""

from __future__ import annotations

import io
import logging
import sys
from typing import Any, TextIO

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, merge_contextvars

from app.core.redaction import clean, redact

__all__ = ["bind_contextvars", "bound_contextvars", "clear_contextvars", "configure_logging", "get_logger"]


def get_logger(name: str) -> Any:
    """A logger whose calls are `log.info("event_name", key=value)`."""
    return structlog.get_logger(name)


def _plain_traceback(stream: TextIO, exc_info: Any) -> None:
    text = io.StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    stream.write(clean(text.getvalue(), lines=True))


def configure_logging(log_format: str, level: str) -> None:
    """Route structlog and the standard library (uvicorn, SQLAlchemy, alembic) through one formatter to stderr."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    # Never with local variables: they hold passwords, tokens and people's words.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    render: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_plain_traceback)]
        if console
        else [
            structlog.processors.ExceptionRenderer(tracebacks),
            redact,
            structlog.processors.JSONRenderer(),
        ]
    )
    first: list[Any] = [redact] if console else []  # JSON: once the traceback is data
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *first, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries that talk at DEBUG say headers, frames and statements: people's words and keys.
    root.setLevel(max(logging.getLevelName(level), logging.INFO))
    logging.getLogger("app").setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    logging.getLogger("uvicorn.access").setLevel(
        logging.WARNING
    )  # our own middleware logs requests, with ids
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    for name in ("httpx", "httpx2"):
        logging.getLogger(name).setLevel(logging.WARNING)
