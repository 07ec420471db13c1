"""Keyset cursors: opaque to clients, the last row's sort key to us."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from app.core.errors import InvalidInputError

MAX_LIMIT = 100
DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Cursor:
    """Newest first: the next page holds rows strictly before (`created_at`, `id`)."""

    created_at: datetime
    id: UUID

    def encode(self) -> str:
        raw = json.dumps([self.created_at.isoformat(), self.id.hex], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str | None) -> Cursor | None:
        """Raises `InvalidInputError` for anything that this server did not hand out."""
        if not text:
            return None
        try:
            moment, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            created_at = datetime.fromisoformat(moment)
            if created_at.tzinfo is None:
                raise ValueError("a cursor of ours names its zone")
            return cls(created_at.astimezone(UTC), UUID(hex=key))
        except (ValueError, TypeError, binascii.Error, AttributeError, OverflowError) as error:
            raise InvalidInputError(
                "This cursor is not one of ours. Begin without it.", field="cursor"
            ) from error
