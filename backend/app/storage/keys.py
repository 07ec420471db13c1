"""Keys of objects: made here and nowhere else, without a letter of what a user typed."""

from __future__ import annotations

import re
from uuid import UUID

from app.core.errors import NotFoundError

_KEY = re.compile(
    r"w/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/f/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[a-z][a-z0-9_]{0,63}"
)
_UPLOAD = re.compile(r"[0-9a-f]{32}")


def object_key(workspace_id: UUID, file_id: UUID, kind: str) -> str:
    """`w/<workspace>/f/<file>/<kind>`; `kind` is a word of ours: original, rendition, text_..._txt."""
    return checked_key(f"w/{workspace_id}/f/{file_id}/{kind}")


def workspace_folder(workspace_id: UUID) -> str:
    """Where everything of a workspace is, ending in a slash."""
    return f"w/{workspace_id}/"


def sibling_key(key: str, kind: str) -> str:
    """The key of another kind of the same file."""
    return checked_key(f"{key.rpartition('/')[0]}/{kind}")


def checked_key(key: str) -> str:
    """The key itself. Raises `NotFoundError` for everything that `object_key` cannot have made."""
    if not _KEY.fullmatch(key):
        raise NotFoundError
    return key


def checked_upload(upload: str) -> str:
    """A local upload's own id. Raises `NotFoundError` for everything else."""
    if not _UPLOAD.fullmatch(upload):
        raise NotFoundError
    return upload
