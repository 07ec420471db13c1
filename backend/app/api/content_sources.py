"""Where pages may load recordings from and send them to, beside this server."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.core.config import Settings


def content_sources(settings: Settings) -> str:
    """The bucket's origins as a policy lists them; empty with the local store."""
    storage = settings.storage
    if storage.storage_backend != "s3":
        return ""
    endpoint = storage.s3_public_endpoint_url or storage.s3_endpoint_url
    virtual = f"{storage.s3_bucket}." if storage.s3_addressing_style == "virtual" else ""
    if endpoint:
        address = urlsplit(endpoint)
        return f"{address.scheme}://{virtual}{address.netloc}"
    # Amazon's own; the client signs for either name.
    region = storage.s3_region or "us-east-1"
    return f"https://{virtual}s3.{region}.amazonaws.com https://{virtual}s3.amazonaws.com"
