"""Addresses that the bucket itself serves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.core.clock import utcnow
from app.storage.base import SignedUrl
from app.storage.s3.client import Bucket


def sign(bucket: Bucket, operation: str, parameters: dict[str, Any], ttl_seconds: int) -> SignedUrl:
    """Needs no connection. A length among the parameters is signed: the bucket refuses any other."""
    expires_at = (utcnow() + timedelta(seconds=ttl_seconds)).replace(microsecond=0)
    url = bucket.public.generate_presigned_url(
        operation, Params={"Bucket": bucket.name, **parameters}, ExpiresIn=ttl_seconds
    )
    return SignedUrl(url, expires_at)
