"""Whether a browser's request comes from a page that may use the cookie or open a socket."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from app.core.config import ServerSettings
from app.core.errors import ForbiddenError

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def require_own_origin(connection: HTTPConnection, settings: ServerSettings) -> None:
    """Raises `ForbiddenError` where a page of another site is asking.

    Browsers send `Origin` with every POST and every WebSocket; other clients send none and hold no cookie of a
    person's browser. Same host, PUBLIC_URL and CORS_ORIGINS are ours. Hosts are compared without the scheme: behind
    a proxy that ends TLS this server sees plain http.
    """
    for origin in connection.headers.getlist("origin"):
        if not _is_ours(origin, connection, settings):
            raise ForbiddenError("This request comes from a page of another site.")


def _is_ours(origin: str, connection: HTTPConnection, settings: ServerSettings) -> bool:
    given = _split(origin)
    if given is None:
        return False  # "null": sandboxed frames, local files
    scheme, host, port = given
    named = [_split(one) for one in (*settings.cors_origins, settings.public_url) if one]
    if given in named:
        return True
    own = _split(f"{scheme}://{connection.headers.get('host', '')}")
    return own is not None and own[1:] == (host, port)


def _split(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or port is None:
        return None
    return parts.scheme, parts.hostname, port
