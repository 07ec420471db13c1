"""The edges in their order."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app.api.edges.caching import CachingMiddleware
from app.api.edges.forwarded import ForwardedMiddleware
from app.api.edges.headers import security_headers
from app.api.edges.hosts import HostsMiddleware
from app.api.edges.rate_limits import RateLimitMiddleware
from app.api.edges.slow_bodies import SlowBodyMiddleware
from app.api.middleware import BodyLimitShapeMiddleware, RequestContextMiddleware
from app.api.share_headers import ShareHeadersMiddleware
from app.core.config import Settings


def add_edges(app: FastAPI, settings: Settings) -> None:
    """From the innermost, beside the routes, to the outermost, beside the network."""
    server, edges = settings.server, settings.edges
    app.add_middleware(CachingMiddleware)
    app.add_middleware(SlowBodyMiddleware)
    app.add_middleware(RateLimitMiddleware)
    if server.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(server.cors_origins),
            allow_credentials=True,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "Last-Event-ID",
                "X-Workspace-Id",
                "X-Request-Id",
            ],
            expose_headers=[
                "Content-Disposition",
                "ETag",
                "Idempotent-Replayed",
                "RateLimit-Limit",
                "RateLimit-Policy",
                "RateLimit-Remaining",
                "RateLimit-Reset",
                "Retry-After",
                "X-Request-Id",
            ],
            max_age=600,
        )
    app.add_middleware(BodyLimitShapeMiddleware)
    app.add_middleware(ShareHeadersMiddleware)
    app.add_middleware(HostsMiddleware, allowed=edges.allowed_hosts, public_url=server.public_url)
    app.add_middleware(RequestContextMiddleware, headers=security_headers(settings))
    app.add_middleware(ForwardedMiddleware, proxies=edges.trusted_proxies)
