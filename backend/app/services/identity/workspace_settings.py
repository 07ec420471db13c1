"""Settings of a workspace: what its jobs take that name nothing else, and how long things are kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.db.session import SystemSession
from app.models.workspaces import Workspace
from app.services import audit
from app.services.identity.roles import require_manager
from app.services.identity.workspaces import of_member

FIELDS = frozenset(
    {"allow_cloud", "vocabulary", "prompt", "language", "mode", "media_days", "transcript_days"}
)


async def read_settings(session: SystemSession, user_id: UUID, workspace_id: UUID) -> Workspace:
    """For members of any role. Raises `NotFoundError` for everybody else."""
    return (await of_member(session, user_id, workspace_id))[0]


async def change_settings(
    session: SystemSession, user_id: UUID, workspace_id: UUID, changes: dict[str, Any]
) -> Workspace:
    """New settings for jobs that are made from now on; `allow_cloud` holds for waiting ones too.

    What `changes` does not name stays. Raises `NotFoundError`, and `ForbiddenError` for who is neither owner nor
    admin.
    """
    workspace, role = await of_member(session, user_id, workspace_id, lock=True)
    require_manager(role)
    unknown = set(changes) - FIELDS
    assert not unknown, unknown
    for name, value in changes.items():
        setattr(workspace, name, _tidy(value))
    audit.record(session, "workspace.settings_changed", workspace_id=workspace_id, changed=sorted(changes))
    await session.flush()
    return workspace


def _tidy(value: Any) -> Any:
    if isinstance(value, list):
        return list(dict.fromkeys(value))
    return value.strip() if isinstance(value, str) else value
