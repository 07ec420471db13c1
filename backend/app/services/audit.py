"""The log of who did what. Written in the transaction of the act itself, so that neither stands without the other."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.caller import current_caller
from app.db.session import SystemSession, TenantSession
from app.models.audit import AuditEntry


def record(
    session: TenantSession | SystemSession,
    action: str,
    *,
    workspace_id: UUID | None = None,
    user_id: UUID | None = None,
    target: tuple[str, object] | None = None,
    **detail: Any,
) -> None:
    """Add an entry. `action` is noun.verb in the past ("member.removed"); `target` names a kind and an id.

    The caller's address, user agent, request, user and key come from the request. `detail` is JSON and holds neither
    secrets nor words of a transcript.
    """
    caller = current_caller()
    session.add(
        AuditEntry(
            workspace_id=workspace_id,
            user_id=user_id or caller.user_id,
            api_key_id=caller.api_key_id,
            action=action,
            target_type=target[0] if target else None,
            target_id=str(target[1]) if target else None,
            address=caller.address,
            user_agent=caller.user_agent[:300],
            request_id=caller.request_id,
            detail=detail,
        )
    )
