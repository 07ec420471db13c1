"""Who the current request comes from, for the audit log: set by the edge, read wherever something is recorded."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass(slots=True)
class Caller:
    """`address` is the client's as far as trusted proxies tell; ids are filled in once they are known."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""
    user_id: UUID | None = None
    api_key_id: UUID | None = None


_current: ContextVar[Caller | None] = ContextVar("caller", default=None)


def set_caller(caller: Caller) -> None:
    """For the edge, once a request."""
    _current.set(caller)


def current_caller() -> Caller:
    """An empty one outside of requests: the server itself, or the command line."""
    return _current.get() or Caller()
