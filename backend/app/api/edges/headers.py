"""Headers that every answer carries: what a browser may load, send, show and remember of it."""

from __future__ import annotations

from app.api.content_sources import content_sources
from app.core.config import Settings

# Mantine writes its variables into a style element; scripts come from files of ours only.
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:{sources}; connect-src 'self'{sources}; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)

# Nothing here uses what a browser would have to ask its person for.
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

# FastAPI's interactive docs load their script from a CDN and run an inline one.
DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; "
    "style-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; "
    "img-src 'self' data: https://fastapi.tiangolo.com; worker-src blob:; frame-ancestors 'none'"
)


def policy_for(sources: str) -> str:
    """The policy of pages, with the bucket's origins (`content_sources`) where recordings come from and go to."""
    return _POLICY.replace("{sources}", f" {sources}" if sources else "")


def security_headers(settings: Settings) -> dict[str, str]:
    """What a route does not set by itself."""
    headers = {
        "Content-Security-Policy": policy_for(content_sources(settings)),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS_POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if not settings.server.cors_origins:  # pages of elsewhere play recordings from here
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if settings.server.public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
