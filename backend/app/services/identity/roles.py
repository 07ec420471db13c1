"""What each role may do in a workspace: the one table that says so."""

from __future__ import annotations

from app.core.errors import ForbiddenError
from app.models.workspaces import Role

WRITERS = frozenset({Role.OWNER, Role.ADMIN, Role.MEMBER})  # make and change transcriptions
MANAGERS = frozenset({Role.OWNER, Role.ADMIN})  # settings, members, invitations
# Whom a manager may invite, change or remove, and into which role.
MANAGES = {
    Role.OWNER: frozenset(Role),
    Role.ADMIN: frozenset({Role.MEMBER, Role.VIEWER}),
    Role.MEMBER: frozenset[Role](),
    Role.VIEWER: frozenset[Role](),
}


def require_manager(role: Role) -> None:
    """Raises `ForbiddenError` for members and viewers."""
    if role not in MANAGERS:
        raise ForbiddenError("Only owners and admins of a workspace can do this.")


def require_over(role: Role, *others: Role) -> None:
    """Raises `ForbiddenError` where `role` has no say over one of `others`."""
    require_manager(role)
    if not MANAGES[role].issuperset(others):
        raise ForbiddenError("Only owners of a workspace can make, change or remove owners and admins.")
