"""Events for other systems leave through a table: written with what happened, told by `services.integrations`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.db.session import SystemSession, TenantSession
from app.models.webhooks import EventType, OutboxEvent


def announce(
    session: TenantSession | SystemSession, workspace_id: UUID, event: EventType, **data: Any
) -> None:
    """Told once this transaction has committed. `data` is JSON: ids and states, no words of a transcript."""
    values = {name: str(value) if isinstance(value, UUID) else value for name, value in data.items()}
    session.add(
        OutboxEvent(workspace_id=workspace_id, type=event, data={"workspace_id": str(workspace_id)} | values)
    )
