"""Where pages may load recordings from and send them to, beside this server."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.core.config import Settings


def content_sources(settings: Settings) -> str:
    """The bucket's origin where it has no TLS, as on a home network; `https:` is allowed anyway. Else empty."""
    storage = settings.storage
    if storage.storage_backend != "s3":
        return ""
    address = urlsplit(storage.s3_public_endpoint_url or storage.s3_endpoint_url)
    if address.scheme != "http":
        return ""
    if storage.s3_addressing_style == "virtual":
        return f"http://{storage.s3_bucket}.{address.netloc}"
    return f"http://{address.netloc}"
