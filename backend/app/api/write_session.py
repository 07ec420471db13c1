"""The transaction in which a request changes something, for whoever has to write beside its endpoint."""

from __future__ import annotations

from starlette.requests import Request

from app.db.session import SystemSession, TenantSession


def note_write_session(request: Request, session: TenantSession | SystemSession) -> None:
    """For the dependencies that open one."""
    request.state.write_session = session


def find_write_session(request: Request) -> TenantSession | SystemSession | None:
    """None where the endpoint opens short transactions of its own."""
    session: TenantSession | SystemSession | None = getattr(request.state, "write_session", None)
    return session
