"""Signatures of the Standard Webhooks specification: HMAC-SHA256 over id, time and body, by each secret that counts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
_BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed_headers(
    message_id: str, moment: datetime, body: bytes, keys: Sequence[str]
) -> list[tuple[str, str]]:
    """`moment` is the time of the attempt, in whole seconds; receivers refuse what is more than minutes off."""
    seconds = str(int(moment.timestamp()))
    content = f"{message_id}.{seconds}.".encode() + body
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", seconds),
        ("webhook-signature", " ".join(_signature(key, content) for key in keys)),
    ]


def _signature(key: str, content: bytes) -> str:
    secret = base64.b64decode(key.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
