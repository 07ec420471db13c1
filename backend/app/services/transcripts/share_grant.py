"""The capability behind every shared read: which one job somebody may see who has no role in its workspace."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.core.errors import AppError, ForbiddenError
from app.models.shares import Permission


class ShareLockedError(AppError):
    """The link has a password, which was not given yet or has changed."""

    status, code = 401, "share_locked"


class WrongPasswordError(AppError):
    """Not the password of this link."""

    status, code = 403, "wrong_password"


@dataclass(frozen=True, slots=True)
class LinkSource:
    """A link; `lock` changes with its password, so that an old unlocking ends."""

    link_id: UUID
    lock: str | None


@dataclass(frozen=True, slots=True)
class AccountSource:
    """One job for one account."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class ShareGrant:
    """Made by `ShareLinks.open` and `JobGrants.open` only, fresh from the database for each request; every read of
    something shared takes one, and reads nothing but its job."""

    workspace_id: UUID
    job_id: UUID
    permission: Permission
    allow_download: bool
    source: LinkSource | AccountSource

    def require_download(self) -> None:
        """Raises `ForbiddenError`."""
        if not self.allow_download:
            raise ForbiddenError("Whoever shared this does not offer it for download.")

    def require_edit(self) -> None:
        """Raises `ForbiddenError`."""
        if self.permission != Permission.EDIT:
            raise ForbiddenError("This was shared with you for reading only.")
